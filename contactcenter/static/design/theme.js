// Applies the chosen theme before the first paint: a classic script in the head, because a module would come too late.
(function () {
  try {
    var theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's wish holds then.
  }
})();
