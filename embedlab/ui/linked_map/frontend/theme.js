// Colours of the page, light or dark, as the canvases need them.

import { mixed } from "./splat.js";

const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

export function parseColour(css, background = "#fff") {
  scratch.fillStyle = background;
  scratch.fillRect(0, 0, 1, 1);
  scratch.fillStyle = css;
  scratch.fillRect(0, 0, 1, 1);
  return [...scratch.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const NAMES = ["background-color", "text-color", "primary-color", "font"];

// The page's colours as one string, to see whether they have changed.
export function themeOf(root) {
  const style = getComputedStyle(root);
  return NAMES.map((name) => style.getPropertyValue(`--st-${name}`)).join("|");
}

export function readTheme(map) {
  const style = getComputedStyle(map.root);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const paper = read("--st-background-color", "#fff");
  const background = parseColour(paper);
  const text = parseColour(read("--st-text-color", "#222"), paper);
  const css = (rgb, alpha = 1) => `rgb(${rgb.join(" ")} / ${alpha})`;
  map.state.theme = {
    background,
    grid: mixed(background, text, 0.07),
    wall: mixed(background, text, 0.18),
    zero: mixed(background, text, 0.24),
    rim: mixed(text, background, 0.1),
    text: css(text),
    quiet: css(mixed(text, background, 0.35)),
    border: css(mixed(background, text, 0.2)),
    halo: css(background, 0.85),
    primary: read("--st-primary-color", "#0b6e6e"),
    font: read("--st-font", "sans-serif"),
  };
  const primary = map.state.theme.primary;
  map.state.css = map.state.css.map((colour) => (colour.startsWith("var(") ? primary : colour));
  map.state.rgb = map.state.css.map((colour) => parseColour(colour));
}
