// What stands around the panels: legend, tools, and the line that says what is selected.

import { symbolIcon } from "../../frontend/symbols.js";
import { tickText } from "./geometry.js";

// Our own icons on a grid of 20, drawn as lines.
const ICONS = {
  pan: "M10 2v16M2 10h16M7.5 4.5 10 2l2.5 2.5M7.5 15.5 10 18l2.5-2.5M4.5 7.5 2 10l2.5 2.5" +
    "M15.5 7.5 18 10l-2.5 2.5",
  lasso: "M5.5 13.5C1.5 10.5 2 4 9.5 3.5S18.5 8 15 11.5s-7.5 2-8.5 3.5 1 3-1 3",
  box: "M3 6V3h3M9 3h2M14 3h3v3M17 9v2M17 14v3h-3M11 17H9M6 17H3v-3M3 11V9",
  focus: "M8.5 3a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M12.5 12.5 17 17M6.5 8.5h4M8.5 6.5v4",
  reset: "M3.5 9 10 3l6.5 6M5.5 8v8.5h9V8",
  pictures: "M3 3.5h14v13H3zM3 14l4-4.5 3.5 3.5L13 10.5l4 4M13 7.5h.01",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1 .8-1 1.7M10 14.5h.01M10 2a8 8 0 1 1 0 16 8 8 0 0 1 0-16",
  expand: "M12 3h5v5M17 3l-5.5 5.5M8 17H3v-5M3 17l5.5-5.5",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, title, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool";
  button.dataset.tool = name;
  button.title = title;
  button.setAttribute("aria-label", title.split(":")[0]);
  button.append(icon(name));
  button.addEventListener("click", act);
  return button;
}

const TOOLS = {
  pan: "Move: drag moves a plane and turns a space; hold Shift to lasso",
  lasso: "Lasso: draw around the points to select",
  box: "Box: pull a rectangle over the points to select",
};

// `on` has setTool(name), focus(), reset(), togglePictures(), toggleHelp().
export function makeToolbar(on) {
  const bar = document.createElement("div");
  bar.className = "tools";
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Tools of the map");
  const choices = Object.entries(TOOLS).map(([name, title]) =>
    iconButton(name, title, () => on.setTool(name)),
  );
  const gap = document.createElement("span");
  gap.className = "gap";
  const focus = iconButton("focus", "Zoom to the selection in every panel", on.focus);
  const reset = iconButton("reset", "Show everything (double click)", on.reset);
  const pictures = iconButton("pictures", "Pictures in place of points", on.togglePictures);
  const help = iconButton("help", "How the map is used", on.toggleHelp);
  bar.append(...choices, gap, focus, reset, pictures, help);
  return { element: bar, choices, focus, pictures, help };
}

export function showTools(bar, { tool, pictures, hasPictures, anySelected, help }) {
  for (const button of bar.choices) {
    button.setAttribute("aria-pressed", button.dataset.tool === tool);
  }
  bar.pictures.setAttribute("aria-pressed", pictures);
  bar.pictures.hidden = !hasPictures;
  bar.focus.disabled = !anySelected;
  bar.help.setAttribute("aria-pressed", help);
}

const HELP = [
  ["Click", "selects a point; Shift-click adds or takes away"],
  ["Lasso, box", "select many; with Shift they add"],
  ["Wheel, pinch", "zoom; drag moves, and turns a space; double click shows everything"],
  ["Arrow keys", "go from point to point; Enter selects, Shift-Enter adds, Escape clears"],
  ["+, −, 0", "zoom in, out, show everything"],
  ["Legend", "a click hides or shows a group; a double click leaves it alone"],
];

export function makeHelp() {
  const list = document.createElement("dl");
  list.className = "help";
  list.hidden = true;
  for (const [what, does] of HELP) {
    const term = document.createElement("dt");
    term.textContent = what;
    const text = document.createElement("dd");
    text.textContent = does;
    list.append(term, text);
  }
  return list;
}

// ---- legend ---------------------------------------------------------------------------------

// `toggle(code)` hides or shows a group, `only(code)` leaves it alone. Entries stay the same
// elements while the groups do, so that focus and double clicks survive.
export function drawLegend(element, state, acts) {
  const { colour } = state;
  element.hidden = !colour;
  if (!colour) return;
  const groups = JSON.stringify(
    [colour.label, colour.names, colour.colours, colour.limits, colour.beyond],
  );
  if (element.dataset.groups !== groups) {
    element.dataset.groups = groups;
    const title = document.createElement("span");
    title.className = "title";
    title.textContent = colour.label;
    element.replaceChildren(title, ...(colour.names ? entries(state, acts) : scale(state)));
  }
  const missing = element.querySelector(".missing");
  if (missing) {
    const count = state.counts[state.css.length - 1];
    missing.hidden = !count;
    missing.querySelector(".count").textContent = count.toLocaleString("en");
  }
  for (const button of element.querySelectorAll("button")) {
    const code = Number(button.dataset.code);
    const on = !state.off[code];
    const count = state.counts[code].toLocaleString("en");
    const [name, number] = button.querySelectorAll("span");
    number.textContent = count;
    button.hidden = code === colour.names.length && !state.counts[code];
    button.setAttribute("aria-pressed", on);
    button.setAttribute(
      "aria-label", `${name.textContent}, ${count} points, ${on ? "shown" : "hidden"}`,
    );
  }
}

function entries(state, { toggle, only }) {
  const names = [...state.colour.names, "none"];
  return names.map((name, code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "entry";
    button.dataset.code = code;
    button.title = "Click: hide or show. Double click or Shift: this group alone, or all again.";
    const text = document.createElement("span");
    text.className = "name";
    text.textContent = name;
    const number = document.createElement("span");
    number.className = "count";
    button.append(symbolIcon(state.symbols[code], state.css[code], 12), text, number);
    button.addEventListener("click", (event) => {
      if (event.shiftKey || event.detail === 2) only(code);
      else if (event.detail < 2) toggle(code);
    });
    return button;
  });
}

function scale(state) {
  const { colour, css } = state;
  const [low, high] = colour.limits;
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(high - low) || 1)));
  const bar = document.createElement("span");
  bar.className = "bar";
  bar.style.background = `linear-gradient(to right, ${colour.stops.join(",")})`;
  const ends = [low, high].map((value, k) => {
    const end = document.createElement("span");
    end.className = "end";
    end.textContent = (colour.beyond[k] ? ["\u2264 ", "\u2265 "][k] : "") + tickText(value, decimals);
    if (colour.beyond[k]) end.title = ["Some values are less.", "Some values are greater."][k];
    return end;
  });
  const missing = document.createElement("span");
  missing.className = "entry missing";
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = "missing";
  const number = document.createElement("span");
  number.className = "count";
  missing.append(symbolIcon("circle", css[css.length - 1], 12), name, number);
  const whole = document.createElement("span");
  whole.className = "scale";
  whole.append(ends[0], bar, ends[1]);
  return [whole, missing];
}
