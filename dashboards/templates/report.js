"use strict";
(function () {
  const all = (q, n) => Array.from((n || document).querySelectorAll(q));
  const form = document.getElementById("find");
  if (form) {
    form.hidden = false;
    const text = form.elements.words, note = document.getElementById("found");
    const cards = all("[data-name]");
    const apply = () => {
      const words = text.value.toLowerCase().trim(), mood = form.elements.mood.value;
      let seen = 0;
      cards.forEach(c => {
        const on = c.dataset.name.includes(words) && (!mood || c.dataset.mood.split(" ").includes(mood));
        c.hidden = !on;
        seen += on ? 1 : 0;
      });
      note.textContent = words || mood ? seen + " of " + cards.length + " services" : "";
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", e => e.preventDefault());
    apply();
  }
  all("time[datetime]").forEach(t => {
    const here = new Date(t.dateTime), hours = here.toLocaleTimeString("en-GB", {hour: "2-digit", minute: "2-digit"});
    if (isNaN(here) || t.textContent.includes(hours)) return;
    const own = document.createElement("span");
    own.className = "soft small";
    own.textContent = " " + here.toLocaleDateString("sv-SE") + " " + hours + " where you are";
    t.after(document.createElement("br"), own);
  });
  all("figure.chart").forEach(f => {
    const rows = all("tbody tr", f), plots = f.querySelector(".plots");
    if (!rows.length) return;
    const heads = all("thead th", f).map(h => h.textContent);
    const range = document.createElement("input"), out = document.createElement("output"), line = document.createElement("i");
    range.type = "range"; range.min = 0; range.max = rows.length - 1; range.setAttribute("aria-label", "Time in the chart");
    line.className = "cursor"; line.hidden = true;
    const at = rows.map(r => parseFloat(r.dataset.at));
    const show = n => {
      const cells = Array.from(rows[n].cells).map(c => c.textContent);
      line.hidden = false; line.style.left = at[n] + "%";
      out.textContent = cells[0] + ": " + cells.slice(1).map((v, i) => v && v + " " + heads[i + 1]).filter(Boolean).join(", ");
      range.setAttribute("aria-valuetext", out.textContent);
    };
    range.value = Math.floor(rows.length / 2);
    range.addEventListener("input", () => show(+range.value));
    plots.addEventListener("pointermove", e => {
      const box = plots.getBoundingClientRect(), x = 100 * (e.clientX - box.left) / box.width;
      let best = 0;
      at.forEach((v, n) => { if (Math.abs(v - x) < Math.abs(at[best] - x)) best = n; });
      range.value = best;
      show(best);
    });
    out.textContent = "Move over the chart, or use the slider: values appear here.";
    plots.append(line);
    f.querySelector(".reading").append(range, out);
  });
}());
