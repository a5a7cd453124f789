// Histograms of a number of the atoms, one for each species, stacked by group.
const LINE = 17; // px, a line of the legend

class EnergyPlot extends CanvasPlot {
  static css = "glassnb-energy-plot";

  read() {
    this.about = this.model.get("about");
    this.selection = this.model.get("selection") ?? {};
  }

  get ready() {
    return Boolean(this.about?.panels);
  }

  get emptiness() {
    return "There are no energies yet: press Calculate.";
  }

  get maps() {
    return this.boxes ?? [];
  }

  get label() {
    const each = this.about.panels.map(({ symbol, groups }, k) => {
      const chosen = sum(this.chosenOf(k).flat());
      return `${sum(groups.map((group) => group.total))} ${symbol}, ${chosen} selected`;
    });
    return (
      `Histograms of ${this.about.title}: ${each.join("; ")}. Arrow keys go from atom to atom, ` +
      "Escape selects all."
    );
  }

  chosenOf(k) {
    return this.selection.chosen?.[k] ?? this.about.panels[k].groups.map((group) => group.counts);
  }

  // -- where things are ---------------------------------------------------------------------------

  layOut() {
    const pen = this.still.getContext("2d");
    pen.font = FONT;
    const { panels } = this.about;
    const heads = panels.map((panel) => this.entriesOf(pen, panel));
    const lines = heads.map((entries) => 1 + Math.max(...entries.map((entry) => entry.line)));
    const axis = 44, gap = 8;
    const rest = this.height - sum(lines) * LINE - panels.length * (axis + gap);
    let y = 0;
    this.boxes = panels.map((panel, k) => {
      const top = y + lines[k] * LINE + gap;
      const bottom = top + Math.max(40, rest / panels.length);
      const { edges, groups } = panel;
      const most = Math.max(1, ...edges.slice(1).map((_, b) => sum(groups.map((g) => g.counts[b]))));
      const pad = 0.02 * (edges[edges.length - 1] - edges[0]);
      for (const entry of heads[k]) entry.y = y + (entry.line + 0.5) * LINE + 2;
      y = bottom + axis;
      return {
        left: 56, right: this.width - 12, top, bottom, entries: heads[k],
        x: [edges[0] - pad, edges[edges.length - 1] + pad], y: [0, 1.08 * most],
      };
    });
  }

  // Entries of the legend, in as many lines as they need.
  entriesOf(pen, { groups }) {
    let x = 56, line = 0;
    return groups.map(({ group, name, colour, total }) => {
      const text = `${name} (${total})`, wide = 16 + pen.measureText(text).width;
      if (x > 56 && x + wide > this.width - 4) [x, line] = [56, line + 1];
      const entry = { group, name, text, colour, x, wide, line };
      x += wide + 14;
      return entry;
    });
  }

  binAt(k, px) {
    const { edges } = this.about.panels[k];
    const [x] = this.inverse(this.boxes[k], px, 0);
    const n = edges.length - 1;
    const bin = Math.floor(((x - edges[0]) / (edges[n] - edges[0])) * n);
    return Math.min(n - 1, Math.max(0, bin));
  }

  entryAt(px, py) {
    for (const box of this.boxes ?? []) {
      for (const entry of box.entries) {
        const across = px >= entry.x - 4 && px <= entry.x + entry.wide + 4;
        if (across && Math.abs(py - entry.y) <= LINE / 2) return entry;
      }
    }
    return null;
  }

  // -- drawing ------------------------------------------------------------------------------------

  drawStill(pen) {
    this.boxes.forEach((box, k) => {
      this.drawLegend(pen, box);
      this.drawBars(pen, box, k);
      const whole = ticks(...box.y, 4).filter((y) => y === Math.round(y));
      const title = `${this.about.panels[k].symbol}: ${this.about.title}`;
      this.axes(pen, box, ticks(...box.x, 5), whole, title, "atoms");
    });
  }

  drawLegend(pen, box) {
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    for (const { text, colour, x, y } of box.entries) {
      this.square(pen, colour)(x, y);
      pen.fillStyle = INK;
      pen.fillText(text, x + 16, y);
    }
  }

  // Selected atoms stand below in the colours of their groups, the others above them in grey.
  drawBars(pen, box, k) {
    const { edges, groups } = this.about.panels[k], chosen = this.chosenOf(k);
    for (let bin = 0; bin < edges.length - 1; bin++) {
      const left = this.px(box, edges[bin]), wide = this.px(box, edges[bin + 1]) - left;
      const inner = Math.max(1, wide - (wide > 4 ? 1 : 0));
      let below = box.bottom;
      const stack = (count, colour) => {
        if (!count) return;
        const tall = Math.max(2, this.py(box, 0) - this.py(box, count)); // one atom can be seen
        pen.fillStyle = colour;
        pen.fillRect(left, below - tall, inner, tall);
        below -= tall;
      };
      groups.forEach((group, g) => stack(chosen[g][bin], group.colour));
      stack(sum(groups.map((group, g) => group.counts[bin] - chosen[g][bin])), GREY);
    }
  }

  drawMarks(pen) {
    if (!this.selection.current) return;
    const [k, value] = this.selection.current, box = this.boxes[k];
    const x = this.px(box, value), y = box.top;
    pen.fillStyle = pen.strokeStyle = MARK;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x - 5.5, y - 6);
    pen.lineTo(x + 5.5, y - 6);
    pen.lineTo(x, y + 3);
    pen.fill();
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x, box.bottom);
    pen.stroke();
  }

  // -- what is done -------------------------------------------------------------------------------

  release(event, x, y) {
    this.adding = event.shiftKey || event.ctrlKey || event.metaKey;
    super.release(event, x, y);
  }

  send(content) {
    super.send({ ...content, add: Boolean(this.adding) });
  }

  clickAt(event, x, y) {
    const entry = this.entryAt(x, y);
    if (entry) this.send({ kind: "group", group: entry.group });
  }

  hoverAt(x, y) {
    const entry = this.entryAt(x, y);
    if (entry) return [`Click for ${entry.name} alone`, "pointer"];
    const k = this.mapAt(x, y);
    if (k < 0) return [null, ""];
    const { edges, groups } = this.about.panels[k], bin = this.binAt(k, x);
    const there = groups.filter((group) => group.counts[bin]);
    if (!there.length) return [null, "crosshair"];
    const kinds = there.map((group) => `${group.counts[bin]} ${group.name}`).join(", ");
    const digits = Math.max(0, 2 - Math.floor(Math.log10(edges[1] - edges[0])));
    const [low, high] = [edges[bin], edges[bin + 1]].map((v) => v.toFixed(Math.min(digits, 9)));
    const chosen = sum(this.chosenOf(k).map((counts) => counts[bin]));
    return [`${low} to ${high}: ${kinds}; ${chosen} selected`, "crosshair"];
  }
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

export default widgetOf(
  EnergyPlot,
  ["about", "height"],
  (before, now) => String(before.chosen) !== String(now.chosen),
);
