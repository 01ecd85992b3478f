// Reading a chart: the values of all curves at the pointer.
for (const svg of document.querySelectorAll(".chart svg")) {
  const curves = [...svg.querySelectorAll("polyline")].map(line => ({
    name: line.dataset.name,
    colour: line.classList[1],
    at: [...line.points].map(p => p.x),
    values: line.dataset.values.split(" ").map(v => v.split(",")),
  })).filter(curve => curve.at.length > 0);
  const cursor = svg.querySelector(".cursor");
  const figure = svg.closest("figure");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  figure.append(tip);
  const nearest = (at, x) => at.reduce((best, v, i) => Math.abs(v - x) < Math.abs(at[best] - x) ? i : best, 0);
  svg.addEventListener("pointermove", event => {
    if (curves.length === 0) return;
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    const first = curves.map(c => c.at[nearest(c.at, x)]).reduce((a, b) => Math.abs(b - x) < Math.abs(a - x) ? b : a);
    cursor.setAttribute("x1", first);
    cursor.setAttribute("x2", first);
    cursor.style.visibility = "visible";
    tip.replaceChildren();
    const head = document.createElement("div");
    const lead = curves.find(c => c.at.includes(first));
    head.textContent = Number(lead.values[nearest(lead.at, first)][0]).toLocaleString("en");
    tip.append(head);
    for (const curve of curves) {
      const row = document.createElement("div");
      const swatch = document.createElement("i");
      swatch.className = "swatch " + curve.colour;
      row.append(swatch, curve.name + "  " + Number(curve.values[nearest(curve.at, first)][1]));
      tip.append(row);
    }
    tip.hidden = false;
    const left = event.clientX - figure.getBoundingClientRect().left;
    const flip = left + tip.offsetWidth + 24 > figure.clientWidth;
    tip.style.left = Math.max(4, flip ? left - tip.offsetWidth - 12 : left + 14) + "px";
  });
  svg.addEventListener("pointerleave", () => {
    cursor.style.visibility = "hidden";
    tip.hidden = true;
  });
}
