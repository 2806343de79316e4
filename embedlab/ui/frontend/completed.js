// An address that names no run yet is completed where it stands. Streamlit would put the complete one
// behind it: the browser's Back would seem to do nothing, and could not leave the first page at all.
export default function ({ data }) {
  if (history.completes) return;
  history.completes = true; // the page's own, whatever is drawn anew
  const push = history.pushState;
  history.pushState = function (state, unused, url) {
    const to = new URL(url ?? location.href, location.href);
    const had = new URLSearchParams(location.search).has(data.parameter);
    const completes = to.pathname === location.pathname && !had && to.searchParams.has(data.parameter);
    return (completes ? history.replaceState : push).call(history, state, unused, url);
  };
}
