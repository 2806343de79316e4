// A gallery: one button a picture, for mouse, touch and keyboard.
import { mediaUrl } from "../../frontend/media.js";
import { symbolIcon } from "../../frontend/symbols.js";

const grids = new WeakMap(); // parentElement -> its <ul>; the export runs again on every change

const MARKS = {
  query: { sign: "◎", words: "query" },
  same: { sign: "✓", words: "same class", brief: "same" },
  other: { sign: "≠", words: "other class", brief: "other" },
  right: { sign: "✓", words: "right" },
  wrong: { sign: "✗", words: "wrong" },
};

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function makeCell() {
  const item = element("li", "item");
  const button = element("button", "cell");
  button.type = "button";
  const frame = element("span", "frame");
  const image = document.createElement("img");
  image.loading = "lazy";
  image.decoding = "async";
  image.draggable = false;
  image.addEventListener("error", () => {
    const tries = Number(image.dataset.tries ?? 0);
    if (tries >= 3) return;
    image.dataset.tries = tries + 1;
    setTimeout(() => {
      const { src } = image;
      image.src = "";
      image.src = src;
    }, 300 * (tries + 1));
  });
  frame.append(image);
  button.append(frame);
  item.append(button);
  return item;
}

function fillCell(item, cell) {
  const button = item.firstChild;
  const image = button.firstChild.firstChild;
  const url = mediaUrl(cell.url);
  if (image.src !== url) {
    image.dataset.tries = 0;
    image.src = url;
  }
  image.alt = cell.name;
  button.dataset.row = cell.row;
  button.className = cell.mark ? `cell ${cell.mark}` : "cell";
  const mark = MARKS[cell.mark];
  const words = [cell.name, cell.label, cell.score, mark?.words].filter(Boolean);
  button.setAttribute("aria-label", words.join(", "));
  button.title = words.join("\n");
  button.firstChild.querySelector(".mark")?.remove();
  if (mark) {
    const pill = element("span", "mark");
    pill.append(element("span", "sign", mark.sign), element("span", "", mark.brief ?? mark.words));
    button.firstChild.append(pill);
  }
  button.querySelector(".caption")?.remove();
  const caption = element("span", "caption");
  if (cell.name) caption.append(element("span", "line name", cell.name));
  if (cell.label || cell.score) {
    const line = element("span", "line");
    const label = element("span", "label");
    if (cell.label && cell.colour) label.append(symbolIcon(cell.symbol, cell.colour, 11));
    label.append(element("span", "name", cell.label));
    line.append(label, element("span", "score", cell.score));
    caption.append(line);
  }
  if (caption.childNodes.length) button.append(caption);
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

function moveFocus(list, event) {
  const buttons = [...list.querySelectorAll("button")];
  const here = buttons.indexOf(event.target.closest("button"));
  if (here < 0) return;
  const columns = getComputedStyle(list).gridTemplateColumns.split(" ").length;
  let there = here + (STEPS[event.key] ?? 0);
  if (event.key === "ArrowUp") there = here - columns;
  else if (event.key === "ArrowDown") there = here + columns;
  else if (event.key === "Home") there = 0;
  else if (event.key === "End") there = buttons.length - 1;
  else if (!(event.key in STEPS)) return;
  event.preventDefault();
  event.stopPropagation();
  if (there >= 0 && there < buttons.length) buttons[there].focus();
}

export default function grid(component) {
  const { data, parentElement, setTriggerValue } = component;
  let list = grids.get(parentElement);
  if (!list) {
    list = element("ul", "grid");
    list.addEventListener("keydown", (event) => moveFocus(list, event));
    parentElement.append(list);
    grids.set(parentElement, list);
  }
  list.onclick = (event) => {
    const button = event.target.closest("button");
    if (button) setTriggerValue("picked", Number(button.dataset.row));
  };
  list.setAttribute("aria-label", data.label);
  list.style.setProperty("--cell", `${data.cell}px`);
  list.style.setProperty("--columns", data.columns ?? 1000);
  while (list.children.length > data.cells.length) list.lastChild.remove();
  while (list.children.length < data.cells.length) list.append(makeCell());
  data.cells.forEach((cell, k) => fillCell(list.children[k], cell));
}
