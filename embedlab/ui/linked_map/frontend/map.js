// The linked map: its life within the page.

import { attach, rowsOf } from "./acts.js";
import { makeHelp, makeToolbar } from "./controls.js";
import { makeCard } from "./hover.js";
import { update } from "./intake.js";
import { focusOn, home } from "./panel.js";

const maps = new WeakMap(); // parentElement -> map; the export runs again on every change

export default function linkedMap(component) {
  const { parentElement } = component;
  let map = maps.get(parentElement);
  if (!map) {
    map = makeMap(parentElement);
    maps.set(parentElement, map);
  }
  map.send = (value) => component.setStateValue("map", value);
  update(map, component.data);
  return () => {
    map.close();
    maps.delete(parentElement);
  };
}

function makeMap(parent) {
  const root = document.createElement("section");
  root.className = "map";
  const head = document.createElement("div");
  head.className = "bar-top";
  const legend = document.createElement("div");
  legend.className = "legend";
  legend.setAttribute("role", "group");
  const grid = document.createElement("div");
  grid.className = "panels";
  const foot = document.createElement("div");
  foot.className = "foot";
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  const clear = document.createElement("button");
  clear.type = "button";
  clear.className = "clear";
  clear.textContent = "Clear selection";
  foot.append(status, clear);
  const help = makeHelp();
  const state = {
    ready: false, tool: "pan", pictures: false, n: 0, nSelected: 0, clicked: null, hover: null,
    cursor: null, hidden: {}, lines: [], revision: null, sent: new Set(), redraw: () => map.draw(),
  };
  const map = {
    root, legend, grid, status, clearButton: clear, help, state, panels: [], updates: 0,
  };
  attach(map);
  const toolbar = makeToolbar({
    setTool: (name) => {
      state.tool = name;
      map.showTools();
    },
    focus: () => {
      const rows = rowsOf(state.selected);
      for (const panel of map.panels) focusOn(panel, map, rows);
    },
    reset: () => map.panels.forEach((panel) => home(panel, map)),
    togglePictures: () => {
      state.pictures = !state.pictures;
      map.showTools();
      map.draw();
    },
    toggleHelp: () => {
      help.hidden = !help.hidden;
      map.showTools();
    },
  });
  map.toolbar = toolbar;
  clear.addEventListener("click", () => map.clear());
  head.append(legend, toolbar.element);
  root.append(head, help, grid, foot);
  map.card = makeCard(root);
  map.observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target === grid) arrange(map);
      const panel = map.panels.find(({ plot }) => plot === target);
      if (panel) map.resize(panel);
    }
  });
  // A page that is being scrolled goes on scrolling when a panel comes under the pointer.
  let scrolled = -Infinity;
  const noteScroll = (event) => {
    if (!event.composedPath().some((node) => node.classList?.contains("over"))) {
      scrolled = performance.now();
    } else if (performance.now() - scrolled < 250) {
      scrolled = performance.now();
    }
  };
  window.addEventListener("wheel", noteScroll, { capture: true, passive: true });
  map.pageScrolls = () => performance.now() - scrolled < 250;
  map.close = () => {
    window.removeEventListener("wheel", noteScroll, { capture: true });
    map.observer.disconnect();
    root.remove();
  };
  parent.append(root);
  map.observer.observe(grid);
  return map;
}

const LEAST_WIDTH = 290;

// As many columns as fit, but rows of about equal length: four panels stand two by two, not 3 + 1.
function arrange({ grid, panels }) {
  const fitting = Math.max(1, Math.floor((grid.clientWidth + 14) / (LEAST_WIDTH + 14)));
  const lines = Math.ceil(panels.length / fitting);
  grid.style.setProperty("--columns", Math.ceil(panels.length / lines) || 1);
}
