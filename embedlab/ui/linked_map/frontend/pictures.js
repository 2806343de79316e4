// Thumbnails: sheets of encoded JPEGs, fetched when a picture on them is first looked at, and the
// few decoded pictures that are in use. A picture is found by its row alone.

import { fetchBytes } from "../../frontend/media.js";
import { unpack } from "./pack.js";

const MOST_DECODED = 900; // about 33 MB at 96 px
const MOST_STORES = 4;
const MOST_AHEAD = 4; // sheets, about 4 MB
const stores = new Map(); // token of a set of pictures -> store; outlives a page of the app

// Where the map and the hidden component that brings late sheets meet (see late.js).
function desk(token) {
  const desks = (globalThis.embedlabSheetDesks ??= new Map());
  if (!desks.has(token)) desks.set(token, { wanted: new Set(), ask: null, offer: null });
  return desks.get(token);
}

export function openStore(token, perSheet) {
  let store = stores.get(token);
  if (!store) {
    store = { token, perSheet, urls: new Map(), sheets: new Map(), decoded: new Map(), waiting: [] };
    stores.set(token, store);
    desk(token).offer = (urls) => offerSheets(store, urls);
    if (stores.size > MOST_STORES) {
      const oldest = stores.keys().next().value;
      for (const bitmap of stores.get(oldest).decoded.values()) bitmap.close?.();
      stores.delete(oldest);
      globalThis.embedlabSheetDesks.delete(oldest);
    }
  }
  return store;
}

export function offerSheets(store, urls) {
  for (const [number, url] of Object.entries(urls)) {
    store.urls.set(Number(number), url);
    desk(store.token).wanted.delete(Number(number));
  }
  const waiting = store.waiting;
  store.waiting = [];
  for (const { number, resolve } of waiting) {
    if (store.urls.has(number)) resolve();
    else store.waiting.push({ number, resolve });
  }
}

// Small sets are fetched before anybody asks, one sheet after the other.
export async function fetchAhead(store) {
  if (store.urls.size > MOST_AHEAD) return;
  for (const number of store.urls.keys()) {
    await sheetOf(store, number).catch(() => {});
  }
}

function sheetOf(store, number) {
  if (!store.sheets.has(number)) store.sheets.set(number, loadSheet(store, number));
  return store.sheets.get(number);
}

async function loadSheet(store, number) {
  if (!store.urls.has(number)) {
    const { wanted, ask } = desk(store.token);
    wanted.add(number);
    ask?.();
    await new Promise((resolve) => store.waiting.push({ number, resolve }));
  }
  const url = store.urls.get(number);
  try {
    const { arrays, token, first } = unpack(await fetchBytes(url));
    if (token !== store.token || first !== number * store.perSheet) {
      throw new Error("a sheet of other pictures");
    }
    return arrays;
  } catch (error) {
    // The server may have let go of the file; the next look asks for a fresh address.
    if (store.urls.get(number) === url) store.urls.delete(number);
    store.sheets.delete(number);
    throw error;
  }
}

async function decode(store, row) {
  const number = Math.floor(row / store.perSheet);
  const { offsets, pictures } = await sheetOf(store, number);
  const place = row - number * store.perSheet;
  const bytes = pictures.subarray(offsets[place], offsets[place + 1]);
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
}

// The decoded picture of a row if it is at hand.
export function pictureNow(store, row) {
  const found = store.decoded.get(row);
  return found instanceof Promise ? undefined : found;
}

// The decoded picture of a row; rejects when it cannot be had now.
export function picture(store, row) {
  let found = store.decoded.get(row);
  if (!found) {
    found = decode(store, row).then(
      (bitmap) => {
        store.decoded.set(row, bitmap);
        return bitmap;
      },
      (error) => {
        store.decoded.delete(row);
        throw error;
      },
    );
  }
  store.decoded.delete(row); // to the young end
  store.decoded.set(row, found);
  for (const [old, bitmap] of store.decoded) {
    if (store.decoded.size <= MOST_DECODED) break;
    store.decoded.delete(old);
    bitmap.close?.();
  }
  return Promise.resolve(found);
}
