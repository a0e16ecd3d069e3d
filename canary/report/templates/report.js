"use strict";
// Show the value under the pointer. Everything else in the report works without this script.
function readable(page) {
  for (const plot of page.querySelectorAll(".plot")) {
    const readings = JSON.parse(plot.dataset.readout);
    if (!readings.length) continue;
    const field = plot.querySelector(".field");
    const output = plot.querySelector(".readout");
    const needle = document.createElement("i");
    needle.className = "needle";
    field.addEventListener("pointermove", (event) => {
      const area = field.getBoundingClientRect();
      const at = (100 * (event.clientX - area.left)) / area.width;
      const near = readings.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
      needle.style.left = near[0] + "%";
      field.append(needle);
      output.textContent = near[1];
      output.classList.add("on");
    });
    field.addEventListener("pointerleave", () => {
      needle.remove();
      output.classList.remove("on");
    });
  }
}
readable(document);
