// Search and filter over what the page already shows; opens everything for print. Nothing here is needed to read.
(function () {
  "use strict";
  var form = document.getElementById("filters");
  var all = Array.prototype.slice.call(document.querySelectorAll("article.finding"));
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
  if (!form) { return; }
  var texts = all.map(function (a) { return a.textContent.toLowerCase(); });
  var query = document.getElementById("q");
  var boxes = Array.prototype.slice.call(form.querySelectorAll("input[type=checkbox]"));
  function apply() {
    var wanted = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    var on = {};
    boxes.forEach(function (b) { on[b.value] = b.checked; });
    var shown = 0;
    all.forEach(function (a, i) {
      var word = a.dataset.kind === "open" ? "open" : a.dataset.level;
      var fits = on[word] && wanted.every(function (w) { return texts[i].indexOf(w) >= 0; });
      a.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    document.querySelectorAll("section.set").forEach(function (s) {
      s.hidden = !s.querySelector("article:not([hidden])");
    });
    document.getElementById("shown").textContent = shown + " of " + all.length + " shown";
  }
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (e) { e.preventDefault(); });
  document.addEventListener("keydown", function (e) {
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName)) {
      e.preventDefault();
      query.focus();
    }
  });
  apply();
}());
