// Bytes that the server hands out under addresses made from their content.

// Streamlit's own scripts lie beside /media, also when the app is served below a base path;
// the page's address would not do, since each page has its own.
const script = [...document.scripts].find((element) => element.src.includes("/static/js/"));
const BASE = script ? script.src.slice(0, script.src.indexOf("/static/js/")) : "";

export function mediaUrl(path) {
  return BASE + path;
}

const PAUSES = [150, 400, 1000, 2500];

// Between two runs of a page the server may have let go of a file for a moment.
export async function fetchBytes(path) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(mediaUrl(path));
      if (response.ok) return await response.arrayBuffer();
      throw new Error(`${path}: ${response.status}`);
    } catch (error) {
      if (attempt === PAUSES.length) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSES[attempt]));
    }
  }
}
