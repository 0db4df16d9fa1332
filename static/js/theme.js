/* Runs before the first paint: the kept choice of light or dark, if there is one. A classic script, so that nothing flashes. */
(() => {
  let kept;
  try {
    kept = localStorage.getItem("nasweb-theme");
  } catch {
    kept = null; // storage is blocked: the system's preference holds
  }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
