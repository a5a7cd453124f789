// Two plots on one canvas: rings by size, and the map of roundness and roughness.
class RingPlot extends CanvasPlot {
  static css = "glassnb-ring-plot";

  read() {
    const get = (name) => this.model.get(name);
    this.about = get("about");
    this.selection = get("selection") ?? {};
    this.x = bytes(get("x"), Float32Array);
    this.y = bytes(get("y"), Float32Array);
    this.group = bytes(get("group"), Uint8Array);
    this.mask = bytes(get("mask"), Uint8Array);
    this.cells = bytes(get("cells"), Uint32Array);
    this.chosenCells = bytes(get("chosen_cells"), Uint32Array);
  }

  get ready() {
    return Boolean(this.about?.sizes);
  }

  get emptiness() {
    return "There are no rings yet.";
  }

  get maps() {
    return [this.map];
  }

  get label() {
    const sum = (counts) => counts?.reduce((a, b) => a + b, 0) ?? 0;
    return (
      `Histogram of ring sizes, and map of roundness and roughness: ${sum(this.about.counts)} ` +
      `rings, ${sum(this.selection.counts)} selected. Arrow keys go from ring to ring, Escape ` +
      "selects all."
    );
  }

  layOut() {
    const { width, height } = this;
    const top = Math.round(0.4 * height);
    this.bars = { left: 56, right: width - 12, top: 26, bottom: top - 42 };
    this.map = { left: 56, right: width - 12, top: top + 26, bottom: height - 42 };
    const { sizes, counts, limits } = this.about;
    const gaps = sizes.slice(1).map((size, k) => size - sizes[k]);
    this.gap = Math.min(...gaps, sizes.length > 1 ? Infinity : 1);
    const [first, last] = sizes.length ? [sizes[0], sizes[sizes.length - 1]] : [0, 1];
    this.bars.x = [first - 0.7 * this.gap, last + 0.7 * this.gap];
    this.bars.y = [0, 1.38 * Math.max(1, ...counts)];
    const pad = limits.map(([low, high]) => 0.02 * (high - low));
    this.map.x = [limits[0][0] - pad[0], limits[0][1] + pad[0]];
    this.map.y = [limits[1][0] - pad[1], limits[1][1] + pad[1]];
  }

  // The bar in whose column a point is, as its place among the sizes.
  barAt(px, py) {
    if (!this.inside(this.bars, px, py, 18)) return -1;
    const [x] = this.inverse(this.bars, px, py);
    return this.about.sizes.findIndex((size) => Math.abs(size - x) <= this.gap / 2);
  }

  drawStill(pen) {
    this.drawBars(pen);
    this.drawMap(pen);
  }

  drawBars(pen) {
    const { sizes, counts, colours, dense, size_words: words } = this.about;
    const box = this.bars;
    const chosen = this.selection.counts ?? counts;
    const wide = (0.8 * this.gap * (box.right - box.left)) / (box.x[1] - box.x[0]);
    sizes.forEach((size, k) => {
      const x = this.px(box, size) - wide / 2;
      const all = this.py(box, counts[k]), some = this.py(box, chosen[k]);
      pen.fillStyle = GREY;
      pen.fillRect(x, all, wide, box.bottom - all);
      pen.fillStyle = dense ? "#3b78b5" : colours[k];
      pen.fillRect(x, some, wide, box.bottom - some);
      pen.fillStyle = INK;
      pen.textAlign = "center";
      pen.textBaseline = "bottom";
      const text = String(chosen[k]);
      const fits = chosen[k] && pen.measureText(text).width < 1.2 * wide;
      if (fits) pen.fillText(text, x + wide / 2, all - 2);
    });
    const room = (box.right - box.left) / ((box.x[1] - box.x[0]) / this.gap);
    const every = Math.max(1, Math.ceil(22 / room)) * this.gap;
    const shown = sizes.filter((size) => (size - sizes[0]) % every === 0);
    const ys = ticks(...box.y, 5).filter((y) => y === Math.round(y));
    this.axes(pen, box, shown, ys, `ring size (${words})`, "number of rings");
    this.legend(pen, box, [
      [this.square(pen, dense ? "#3b78b5" : this.middle), "selected"],
      [this.square(pen, GREY), "all"],
      [(x, y) => this.triangle(pen, x + 5.5, y - 4), "this ring"],
    ]);
  }

  get middle() {
    const { colours } = this.about;
    return colours[colours.length >> 1] ?? GREY;
  }

  triangle(pen, x, y) {
    pen.fillStyle = MARK;
    pen.beginPath();
    pen.moveTo(x - 5.5, y);
    pen.lineTo(x + 5.5, y);
    pen.lineTo(x, y + 9);
    pen.fill();
  }

  drawMap(pen) {
    const box = this.map;
    if (this.about.dense) this.drawCells(pen);
    else this.drawPoints(pen);
    this.axes(pen, box, ticks(...box.x, 5), ticks(...box.y, 5), "roundness", "roughness");
    const mark = (x, y) => this.circle(pen, x + 5.5, y, 5);
    const outside = this.about.outside;
    const missing = outside ? [[null, `not shown: ${outside} in a line`]] : [];
    if (!this.about.dense) {
      this.legend(pen, box, [[null, "colour: size, as above"], [mark, "this ring"], ...missing]);
      return;
    }
    const most = this.cells.reduce((a, b) => Math.max(a, b), 1);
    const bar = this.ramp(pen, 60);
    const pad = " ".repeat(15); // the bar is wider than a square
    this.legend(pen, box, [[null, "rings: 1"], [bar, `${pad}${most}`], [mark, "this ring"]]);
  }

  drawPoints(pen) {
    const box = this.map, n = this.x.length;
    const radius = Math.min(4, Math.max(1.2, 90 / Math.sqrt(n + 1)));
    const { colours } = this.about;
    const dot = (k) => {
      const x = this.px(box, this.x[k]), y = this.py(box, this.y[k]);
      if (radius < 2) return pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.fill();
    };
    pen.fillStyle = GREY;
    if (this.mask.length) for (let k = 0; k < n; k++) if (!this.mask[k]) dot(k);
    pen.globalAlpha = 0.8;
    for (let k = 0; k < n; k++) {
      if (this.mask.length && !this.mask[k]) continue;
      pen.fillStyle = colours[this.group[k]];
      dot(k);
    }
    pen.globalAlpha = 1;
  }

  drawCells(pen) {
    const { grid: [nx, ny], limits: [[x0, x1], [y0, y1]] } = this.about;
    const box = this.map, most = Math.log1p(this.cells.reduce((a, b) => Math.max(a, b), 1));
    const shade = this.shades();
    const wide = (this.px(box, x1) - this.px(box, x0)) / nx + 0.5;
    const high = (this.py(box, y0) - this.py(box, y1)) / ny + 0.5;
    this.cells.forEach((count, k) => {
      if (!count) return;
      const some = this.chosenCells.length ? this.chosenCells[k] : count;
      pen.fillStyle = some ? shade(Math.log1p(some) / most) : GREY;
      const x = this.px(box, x0 + ((k % nx) / nx) * (x1 - x0));
      const y = this.py(box, y0 + ((Math.floor(k / nx) + 1) / ny) * (y1 - y0));
      pen.fillRect(x, y, wide, high);
    });
  }

  drawMarks(pen) {
    const { point, row, region } = this.selection;
    const { sizes, counts } = this.about;
    if (row >= 0 && row < sizes.length) {
      const above = this.py(this.bars, counts[row]) - 26;
      this.triangle(pen, this.px(this.bars, sizes[row]), Math.max(this.bars.top - 6, above));
    }
    if (region) this.region(pen, this.map, region);
    if (point) this.circle(pen, this.px(this.map, point[0]), this.py(this.map, point[1]), 7);
  }

  clickAt(event, x, y) {
    const bar = this.barAt(x, y);
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    if (bar >= 0) this.send({ kind: "bar", size: this.about.sizes[bar], add });
  }

  hoverAt(x, y) {
    const { sizes, counts, size_words: words, dense } = this.about;
    const bar = this.barAt(x, y);
    let text = null;
    if (bar >= 0) {
      const chosen = (this.selection.counts ?? counts)[bar];
      text = `${sizes[bar]} ${words}: ${counts[bar]} rings, ${chosen} selected`;
    } else if (this.inside(this.map, x, y) && !dense) {
      const may = (k) => !this.mask.length || this.mask[k];
      const k = this.nearest(this.map, this.x, this.y, x, y, may);
      if (k >= 0) {
        const size = sizes[this.group[k]];
        const [x, y] = [this.x[k].toFixed(3), this.y[k].toFixed(3)];
        text = `${size} ${words}, roundness ${x}, roughness ${y}`;
      }
    } else if (this.inside(this.map, x, y)) {
      const cell = this.cellAt(x, y);
      const chosen = this.chosenCells.length ? this.chosenCells[cell] : this.cells[cell];
      if (this.cells[cell]) text = `${this.cells[cell]} rings here, ${chosen} selected`;
    }
    const onMap = this.inside(this.map, x, y);
    return [text, bar >= 0 ? "pointer" : onMap ? "crosshair" : ""];
  }

  cellAt(px, py) {
    const { grid: [nx, ny], limits: [[x0, x1], [y0, y1]] } = this.about;
    const [x, y] = this.inverse(this.map, px, py);
    const i = Math.min(nx - 1, Math.max(0, Math.floor(((x - x0) / (x1 - x0)) * nx)));
    const j = Math.min(ny - 1, Math.max(0, Math.floor(((y - y0) / (y1 - y0)) * ny)));
    return j * nx + i;
  }
}

export default widgetOf(
  RingPlot,
  ["about", "x", "y", "group", "mask", "cells", "chosen_cells", "height"],
  (before, now) => String(before.counts) !== String(now.counts),
);
