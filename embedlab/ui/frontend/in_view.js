// Brings the place where it stands into view, once for each call.
let answered = null; // the last call; a script run that changes nothing is no call

export default function ({ data, parentElement }) {
  const { call } = data;
  if (call === answered) return;
  answered = call;
  const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
  // What is drawn below it comes in the same moment: only then is there somewhere to go.
  requestAnimationFrame(() => {
    const place = parentElement.host ?? parentElement;
    place.style.scrollMarginTop = "4.5rem"; // below the app's bar
    place.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
  });
}
