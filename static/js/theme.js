/* Applies the stored choice of light or dark before the first paint: a classic script, so that nothing flashes. */
(() => {
  let kept;
  try {
    kept = localStorage.getItem("nasweb-theme");
  } catch {
    kept = null; // storage is blocked: the system's preference applies
  }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
