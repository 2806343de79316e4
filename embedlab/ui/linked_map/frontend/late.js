// Brings sheets of thumbnails that the map did not get at once: it asks for them in a run of its
// own fragment, so that looking at a picture never runs the page.

function deskOf(token) {
  const desks = (globalThis.embedlabSheetDesks ??= new Map());
  if (!desks.has(token)) desks.set(token, { wanted: new Set(), ask: null, offer: null });
  return desks.get(token);
}

export default function late({ data, setTriggerValue }) {
  const desk = deskOf(data.token);
  let timer = null;
  desk.ask = () => {
    timer ??= setTimeout(() => {
      timer = null;
      if (desk.wanted.size) setTriggerValue("wanted", [...desk.wanted].slice(-8));
    }, 20);
  };
  desk.offer?.(data.urls);
  if (desk.wanted.size) desk.ask();
}
