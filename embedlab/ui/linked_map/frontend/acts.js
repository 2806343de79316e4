// What a person does to the map, and what it answers: drawing, hovering, selecting, telling Python.

import { drawLegend, showTools } from "./controls.js";
import { maskToBits } from "./geometry.js";
import { captionsOf, hideCard, showCard } from "./hover.js";
import { drawOver } from "./overlay.js";
import { layOut, sortRows } from "./plot.js";
import { drawPoints } from "./points.js";
import { keptViews } from "./views.js";

export function rowsOf(mask) {
  const rows = [];
  for (let row = 0; row < mask.length; row += 1) if (mask[row]) rows.push(row);
  return rows;
}

export function attach(map) {
  const { state } = map;
  const pending = new Set();
  let frame = 0;

  const flush = () => {
    frame = 0;
    if (!state.ready) return;
    const begun = performance.now();
    for (const panel of pending) if (panel.outer.width > 0) drawPoints(panel, state);
    const some = pending.size > 0;
    pending.clear();
    for (const panel of map.panels) if (panel.outer.width > 0) drawOver(panel, state);
    if (some) map.root.dataset.drawMs = (performance.now() - begun).toFixed(1);
  };
  const soon = () => {
    frame ||= requestAnimationFrame(flush);
  };
  map.draw = (panel) => {
    for (const one of panel ? [panel] : map.panels) pending.add(one);
    soon();
  };
  map.drawOver = soon;

  map.resize = (panel) => {
    const { clientWidth: width, clientHeight: height } = panel.plot;
    if (!width || !height || !state.ready) return; // a hidden tab
    panel.outer = { width, height };
    layOut(panel, width, height);
    map.draw(panel);
  };

  map.hover = (panel, row = -1, x = 0, y = 0) => {
    const next = panel && row >= 0 ? row : null;
    if (next === null) hideCard(map.card);
    else {
      const [outer, inner] = [map.root, panel.over].map((node) => node.getBoundingClientRect());
      const [px, py] = [panel.sx[row], panel.sy[row]];
      showCard(
        map.card, state, row, inner.left - outer.left + panel.left + px,
        inner.top - outer.top + panel.top + py, outer.width, outer.height,
      );
    }
    if (panel) panel.over.classList.toggle("pointing", next !== null);
    if (next !== state.hover) {
      state.hover = next;
      soon();
    }
  };

  map.setCursor = (row, panel) => {
    if (row === state.cursor) return;
    state.cursor = row;
    map.hover(row === null ? null : panel, row ?? -1);
    map.showStatus();
    soon();
  };

  map.choose = (row, add) => {
    if (!add) {
      map.select([row], { clicked: row });
    } else if (state.selected[row]) {
      map.select(rowsOf(state.selected).filter((other) => other !== row), {});
    } else {
      map.select([row], { add: true, clicked: row });
    }
  };

  map.select = (rows, { add = false, clicked = null }) => {
    if (!add) state.selected = new Uint8Array(state.n);
    for (const row of rows) state.selected[row] = 1;
    state.clicked = clicked;
    count(state);
    map.tell();
    afterwards(map);
  };

  map.clear = () => {
    if (!state.nSelected && state.clicked === null) return;
    map.select([], {});
  };

  // Python first, the drawing after: the page is already at work while the points are redrawn.
  map.tell = () => {
    state.revision = Math.random().toString(36).slice(2, 14);
    state.sent.add(state.revision);
    const kept = {};
    for (const panel of map.panels) {
      if (panel.view) kept[panel.name] = { of: panel.url, ...panel.view };
    }
    map.send({
      token: state.token,
      revision: state.revision,
      bits: state.nSelected ? maskToBits(state.selected) : "",
      clicked: state.clicked,
      hidden: state.hidden,
      views: kept,
    });
  };

  map.keepView = (panel) => {
    keptViews.set(`${state.memory} ${panel.name}`, panel.view && { of: panel.url, ...panel.view });
  };

  map.showTools = () => {
    showTools(map.toolbar, {
      tool: state.tool,
      pictures: state.pictures,
      hasPictures: Boolean(state.store),
      anySelected: state.nSelected > 0,
      help: !map.help.hidden,
    });
    for (const { over, dims } of map.panels) {
      over.dataset.tool = state.tool;
      over.dataset.dims = dims;
    }
  };

  map.showStatus = () => {
    const shown = state.counts.reduce((sum, some, code) => sum + (state.off[code] ? 0 : some), 0);
    const all = state.n.toLocaleString("en");
    const points = `${shown < state.n ? `${shown.toLocaleString("en")} of ` : ""}${all} points`;
    for (const { over, title } of map.panels) {
      const label = `${title.textContent}: ${points}. Arrow keys go from point to point.`;
      if (over.ariaLabel !== label) over.ariaLabel = label;
    }
    const parts = [
      state.nSelected ? `${state.nSelected.toLocaleString("en")} of ${all} selected` : points,
    ];
    if (state.cursor !== null) {
      const facts = captionsOf(state, state.cursor).map(([label, text]) => `${label}: ${text}`);
      parts.push([state.captions.ids[state.cursor], ...facts].join(", "));
    }
    map.status.textContent = parts.join(" · ");
    map.clearButton.hidden = !state.nSelected;
  };

  map.toggleGroup = (code) => {
    state.off[code] ^= 1;
    groupsChanged(map);
  };
  map.onlyGroup = (code) => {
    const alone = state.off.every((off, other) => (other === code) !== Boolean(off));
    state.off.fill(alone ? 0 : 1);
    state.off[code] = 0;
    groupsChanged(map);
  };
}

export function count(state) {
  state.nSelected = state.selected.reduce((sum, one) => sum + one, 0);
}

function afterwards(map) {
  setTimeout(() => {
    for (const panel of map.panels) if (panel.box) sortRows(panel, map.state);
    map.showTools();
    map.showStatus();
    map.draw();
  }, 0);
}

function groupsChanged(map) {
  const { state } = map;
  const { colour, off } = state;
  const names = [...colour.names, "none"];
  state.hidden = { ...state.hidden, [colour.label]: names.filter((_, code) => off[code]) };
  map.tell();
  drawLegend(map.legend, state, { toggle: map.toggleGroup, only: map.onlyGroup });
  afterwards(map);
}
