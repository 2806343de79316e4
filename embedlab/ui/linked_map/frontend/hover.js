// The card beside the pointer: picture, id and captions of one point. All of it is text.

import { picture, pictureNow } from "./pictures.js";
import { symbolIcon } from "../../frontend/symbols.js";

const SIZE = 128;

export function makeCard(root) {
  const element = document.createElement("div");
  element.className = "card";
  element.hidden = true;
  element.setAttribute("aria-hidden", "true"); // the status line says the same
  const canvas = document.createElement("canvas");
  canvas.width = 2;
  canvas.height = 2;
  const words = document.createElement("div");
  words.className = "words";
  element.append(canvas, words);
  root.append(element);
  return { element, canvas, words, row: -1, shown: null };
}

// What is known of a row, in order: [label, text, colour, symbol].
export function captionsOf(state, row) {
  const { captions, colour } = state;
  const lines = captions.labels.map((label, k) => [
    label, captions.words[k][captions.codes[k][row]],
  ]);
  if (colour?.names) {
    const code = state.codes[row];
    const name = colour.names[code];
    if (name === undefined) return lines;
    const style = [state.css[code], state.symbols[code]];
    const line = lines.find(([label]) => label === colour.label);
    if (line) line.push(...style);
    else lines.unshift([colour.label, name, ...style]);
  }
  return lines;
}

function write(card, state, row) {
  const head = document.createElement("div");
  head.className = "head";
  head.textContent = state.captions.ids[row];
  const lines = captionsOf(state, row).map(([label, text, colour, symbol]) => {
    const line = document.createElement("div");
    line.className = "fact";
    const name = document.createElement("span");
    name.className = "label";
    name.textContent = label;
    const value = document.createElement("span");
    value.className = "value";
    if (colour) value.append(symbolIcon(symbol, colour, 11));
    value.append(text);
    line.append(name, value);
    return line;
  });
  card.words.replaceChildren(head, ...lines);
}

function paint(card, row, bitmap) {
  if (card.row !== row) return; // the pointer has moved on
  const share = SIZE / Math.max(bitmap.width, bitmap.height);
  card.canvas.width = bitmap.width;
  card.canvas.height = bitmap.height;
  card.canvas.style.width = `${bitmap.width * share}px`;
  card.canvas.style.height = `${bitmap.height * share}px`;
  card.canvas.getContext("2d").drawImage(bitmap, 0, 0);
  card.canvas.dataset.row = row;
  card.canvas.style.visibility = "";
}

// Show the card of a row at (x, y) of the root; `width` and `height` are the root's.
export function showCard(card, state, row, x, y, width, height) {
  if (card.row !== row || card.shown !== state.captions) {
    card.row = row;
    card.shown = state.captions;
    card.element.dataset.row = row;
    write(card, state, row);
    card.canvas.hidden = !state.store;
    if (state.store) {
      const bitmap = pictureNow(state.store, row);
      if (bitmap) paint(card, row, bitmap);
      else {
        card.canvas.style.visibility = "hidden"; // never the last point's picture
        delete card.canvas.dataset.row;
        card.canvas.style.width = `${SIZE}px`;
        card.canvas.style.height = `${SIZE}px`;
        picture(state.store, row).then((found) => paint(card, row, found), () => {});
      }
    }
  }
  card.element.hidden = false;
  const box = card.element.getBoundingClientRect();
  const left = x + 16 + box.width <= width ? x + 16 : Math.max(0, x - 16 - box.width);
  const top = Math.min(Math.max(0, y - box.height / 2), Math.max(0, height - box.height));
  card.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}

export function hideCard(card) {
  card.row = -1;
  card.element.hidden = true;
}
