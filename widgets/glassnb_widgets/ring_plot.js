// Two plots on one canvas: rings by size, and the map of roundness and roughness. What is drawn
// comes from the kernel as arrays of bytes; what is clicked goes back to it as small messages.
const MARK = "#d90099"; // as in the picture of the structure
const GREY = "rgba(128, 128, 128, 0.30)";
const INK = "#222";
const FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const VIRIDIS = ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"];
const NEAR = 9; // pixels in which a click finds a point

const bytes = (view, Type) =>
  view?.byteLength
    ? new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
    : new Type();

// Steps of 1, 2 or 5 times a power of ten, about as many as asked for.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((m) => m * power >= rough * 0.999) ?? 10);
  const found = [];
  const last = Math.floor(high / step + 1e-9);
  for (let k = Math.ceil(low / step - 1e-9); k <= last; k++) found.push(k * step);
  return found.map((value) => Number(value.toPrecision(12)));
}

class Plot {
  constructor(model, el) {
    this.model = model;
    this.root = document.createElement("div");
    this.canvas = document.createElement("canvas");
    this.tip = document.createElement("div");
    this.root.append(this.canvas, this.tip);
    el.append(this.root);
    Object.assign(this.root.style, {
      position: "relative", width: "100%", background: "white", // as the structure, in any theme
    });
    Object.assign(this.canvas.style, { display: "block", width: "100%", touchAction: "none" });
    Object.assign(this.tip.style, {
      position: "absolute", display: "none", pointerEvents: "none", padding: "2px 6px",
      background: "#222", color: "white", font: FONT, borderRadius: "3px", whiteSpace: "nowrap",
    });
    this.canvas.tabIndex = 0;
    this.canvas.className = "glassnb-ring-plot";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("data-lm-suppress-shortcuts", "true"); // the arrow keys are ours
    this.canvas.glassnb = this;
    window.Jupyter?.keyboard_manager?.register_events(this.root);
    this.still = document.createElement("canvas"); // all but marks: drawn when the data change
    this.steps = 0;
    this.read();
    this.listen();
  }

  // -- data ---------------------------------------------------------------------------------------

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
    this.fresh = false;
  }

  // Many changes in one message are drawn once.
  refresh(all) {
    if (all) this.stale = true;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.stale) this.read();
      this.stale = false;
      this.selection = this.model.get("selection") ?? {};
      this.draw();
      this.describe();
    });
  }

  get ready() {
    return Boolean(this.about?.sizes);
  }

  describe() {
    const { about, selection, canvas } = this;
    const sum = (counts) => counts?.reduce((a, b) => a + b, 0) ?? 0;
    const total = sum(about?.counts);
    canvas.setAttribute(
      "aria-label",
      `Histogram of ring sizes, and map of roundness and roughness: ${total} rings, ` +
        `${sum(selection.counts)} selected. Arrow keys go from ring to ring, Escape selects all.`,
    );
  }

  // -- where things are ---------------------------------------------------------------------------

  arrange() {
    const width = Math.max(240, this.root.clientWidth), height = this.model.get("height");
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.still]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.canvas.style.height = height + "px";
    Object.assign(this, { width, height, ratio });
    const top = Math.round(0.4 * height);
    this.bars = { left: 56, right: width - 12, top: 26, bottom: top - 42 };
    this.map = { left: 56, right: width - 12, top: top + 26, bottom: height - 42 };
    if (!this.ready) return;
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

  px(box, x) {
    return box.left + ((x - box.x[0]) / (box.x[1] - box.x[0])) * (box.right - box.left);
  }

  py(box, y) {
    return box.bottom - ((y - box.y[0]) / (box.y[1] - box.y[0])) * (box.bottom - box.top);
  }

  inverse(box, px, py) {
    return [
      box.x[0] + ((px - box.left) / (box.right - box.left)) * (box.x[1] - box.x[0]),
      box.y[0] + ((box.bottom - py) / (box.bottom - box.top)) * (box.y[1] - box.y[0]),
    ];
  }

  inside(box, px, py, slack = 6) {
    const across = px >= box.left - slack && px <= box.right + slack;
    return across && py >= box.top && py <= box.bottom + slack;
  }

  // The bar in whose column a point is, as its place among the sizes.
  barAt(px, py) {
    if (!this.inside(this.bars, px, py, 18)) return -1;
    const [x] = this.inverse(this.bars, px, py);
    return this.about.sizes.findIndex((size) => Math.abs(size - x) <= this.gap / 2);
  }

  // The selected point next to a place, or -1.
  pointAt(px, py) {
    let best = NEAR * NEAR, found = -1;
    for (let k = 0; k < this.x.length; k++) {
      if (this.mask.length && !this.mask[k]) continue;
      const dx = this.px(this.map, this.x[k]) - px, dy = this.py(this.map, this.y[k]) - py;
      const apart = dx * dx + dy * dy;
      if (apart <= best) [best, found] = [apart, k];
    }
    return found;
  }

  // -- drawing ------------------------------------------------------------------------------------

  draw() {
    if (!this.root.isConnected || !this.root.clientWidth) return;
    if (!this.fresh) {
      this.arrange();
      const pen = this.still.getContext("2d");
      pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      pen.clearRect(0, 0, this.width, this.height);
      pen.font = FONT;
      if (this.ready) {
        this.drawBars(pen);
        this.drawMap(pen);
      } else {
        pen.fillStyle = INK;
        pen.textAlign = "center";
        pen.fillText("There are no rings yet.", this.width / 2, this.height / 3);
      }
      this.fresh = true;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.still, 0, 0);
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (this.ready) this.drawMarks(pen);
  }

  axes(pen, box, xs, ys, xName, yName) {
    pen.strokeStyle = pen.fillStyle = INK;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(box.left + 0.5, box.top);
    pen.lineTo(box.left + 0.5, box.bottom + 0.5);
    pen.lineTo(box.right, box.bottom + 0.5);
    for (const x of xs) {
      const px = Math.round(this.px(box, x)) + 0.5;
      pen.moveTo(px, box.bottom);
      pen.lineTo(px, box.bottom + 5);
    }
    for (const y of ys) {
      const py = Math.round(this.py(box, y)) + 0.5;
      pen.moveTo(box.left - 5, py);
      pen.lineTo(box.left, py);
    }
    pen.stroke();
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const x of xs) pen.fillText(String(x), this.px(box, x), box.bottom + 7);
    pen.fillText(xName, (box.left + box.right) / 2, box.bottom + 24);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const y of ys) {
      const text = y >= 10000 ? `${y / 1000}k` : String(y);
      pen.fillText(text, box.left - 8, this.py(box, y));
    }
    pen.save();
    pen.translate(11, (box.top + box.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(yName, 0, 0);
    pen.restore();
  }

  // Entries of a legend in the line above a plot, from the left.
  legend(pen, box, entries) {
    let x = box.left;
    const y = box.top - 15;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    for (const [paint, text] of entries) {
      if (paint) {
        paint(x, y);
        x += 16;
      }
      pen.fillStyle = INK;
      pen.fillText(text, x, y);
      x += pen.measureText(text).width + 14;
    }
  }

  square(pen, colour) {
    return (x, y) => {
      pen.fillStyle = colour;
      pen.fillRect(x, y - 5.5, 11, 11);
    };
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
    const bar = (x, y) => {
      const paint = pen.createLinearGradient(x, 0, x + 60, 0);
      VIRIDIS.forEach((colour, k) => paint.addColorStop(k / (VIRIDIS.length - 1), colour));
      pen.fillStyle = paint;
      pen.fillRect(x, y - 5.5, 60, 11);
    };
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
    const ramp = document.createElement("canvas").getContext("2d");
    const paint = ramp.createLinearGradient(0, 0, 256, 0);
    VIRIDIS.forEach((colour, k) => paint.addColorStop(k / (VIRIDIS.length - 1), colour));
    ramp.fillStyle = paint;
    ramp.fillRect(0, 0, 256, 1);
    const pixels = ramp.getImageData(0, 0, 256, 1).data;
    const wide = (this.px(box, x1) - this.px(box, x0)) / nx + 0.5;
    const high = (this.py(box, y0) - this.py(box, y1)) / ny + 0.5;
    this.cells.forEach((count, k) => {
      if (!count) return;
      const some = this.chosenCells.length ? this.chosenCells[k] : count;
      const place = 4 * Math.round((255 * Math.log1p(some)) / most);
      pen.fillStyle = some ? `rgb(${pixels.slice(place, place + 3).join()})` : GREY;
      const x = this.px(box, x0 + ((k % nx) / nx) * (x1 - x0));
      const y = this.py(box, y0 + ((Math.floor(k / nx) + 1) / ny) * (y1 - y0));
      pen.fillRect(x, y, wide, high);
    });
  }

  circle(pen, x, y, radius) {
    for (const [colour, width] of [["white", 5], [MARK, 2.5]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  drawMarks(pen) {
    const { point, row, region } = this.selection;
    const { sizes, counts } = this.about;
    if (row >= 0 && row < sizes.length) {
      const above = this.py(this.bars, counts[row]) - 26;
      this.triangle(pen, this.px(this.bars, sizes[row]), Math.max(this.bars.top - 6, above));
    }
    const rectangle = (x, y, wide, high, dash) => {
      pen.strokeStyle = INK;
      pen.lineWidth = 1;
      pen.setLineDash(dash);
      pen.strokeRect(x, y, wide, high);
      pen.setLineDash([]);
    };
    if (region) {
      const box = this.map;
      const clip = (value, [low, high]) => Math.min(Math.max(value, low), high);
      const [left, right] = region[0].map((x) => this.px(box, clip(x, box.x)));
      const [low, high] = region[1].map((y) => this.py(box, clip(y, box.y)));
      rectangle(left, high, right - left, low - high, [5, 4]);
    }
    if (point) this.circle(pen, this.px(this.map, point[0]), this.py(this.map, point[1]), 7);
    if (this.drag?.far) {
      const { x0, y0, x1, y1 } = this.drag;
      pen.fillStyle = "rgba(80, 130, 200, 0.15)";
      pen.fillRect(x0, y0, x1 - x0, y1 - y0);
      rectangle(x0, y0, x1 - x0, y1 - y0, []);
    }
  }

  // -- what is done with mouse and keyboard -------------------------------------------------------

  listen() {
    const canvas = this.canvas;
    const on = (name, act) => canvas.addEventListener(name, (event) => {
      const frame = canvas.getBoundingClientRect();
      act(event, event.clientX - frame.left, event.clientY - frame.top);
    });
    on("pointerdown", (event, x, y) => {
      if (event.button !== 0 || !this.ready || !this.inside(this.map, x, y)) return;
      canvas.setPointerCapture(event.pointerId);
      this.drag = { x0: x, y0: y, x1: x, y1: y, far: false };
    });
    on("pointermove", (event, x, y) => this.move(x, y));
    on("pointerup", (event, x, y) => this.release(event, x, y));
    on("pointercancel", () => (this.drag = null));
    on("pointerleave", () => this.say(null));
    on("dblclick", (event, x, y) => {
      if (this.ready && this.inside(this.map, x, y)) this.send({ kind: "clear" });
    });
    on("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => {
      if (this.root.clientWidth === this.width) return;
      this.fresh = false;
      this.refresh(false);
    });
    this.observer.observe(this.root);
  }

  send(content) {
    this.model.send(content);
  }

  move(x, y) {
    if (!this.ready) return;
    if (this.drag) {
      const { map, drag } = this;
      drag.x1 = Math.min(Math.max(x, map.left), map.right);
      drag.y1 = Math.min(Math.max(y, map.top), map.bottom);
      drag.far ||= Math.hypot(x - drag.x0, y - drag.y0) > 5;
      this.say(null);
      this.refresh(false);
      return;
    }
    this.hover(x, y);
  }

  release(event, x, y) {
    if (!this.ready || event.button !== 0) return;
    const drag = this.drag;
    this.drag = null;
    if (drag?.far) {
      const a = this.inverse(this.map, drag.x0, drag.y0);
      const b = this.inverse(this.map, drag.x1, drag.y1);
      const between = (k) => [Math.min(a[k], b[k]), Math.max(a[k], b[k])];
      this.send({ kind: "region", x: between(0), y: between(1) });
    } else if (this.inside(this.map, x, y)) {
      const [rx, ry] = this.inverse(this.map, x, y);
      const reach = ["x", "y"].map((axis, k) => {
        const box = this.map, long = k ? box.bottom - box.top : box.right - box.left;
        return (NEAR * (box[axis][1] - box[axis][0])) / long;
      });
      this.send({ kind: "point", x: rx, y: ry, reach });
    } else {
      const bar = this.barAt(x, y);
      const add = event.shiftKey || event.ctrlKey || event.metaKey;
      if (bar >= 0) this.send({ kind: "bar", size: this.about.sizes[bar], add });
    }
    this.refresh(false);
  }

  key(event) {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (event.key in steps) {
      // Keys that repeat faster than pictures are drawn are added up.
      this.steps += steps[event.key];
      this.stepping ??= requestAnimationFrame(() => {
        this.send({ kind: "step", by: this.steps });
        this.steps = 0;
        this.stepping = null;
      });
    } else if (event.key === "Escape") this.send({ kind: "clear" });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  hover(x, y) {
    const { sizes, counts, size_words: words, dense } = this.about;
    const bar = this.barAt(x, y);
    let text = null;
    if (bar >= 0) {
      const chosen = (this.selection.counts ?? counts)[bar];
      text = `${sizes[bar]} ${words}: ${counts[bar]} rings, ${chosen} selected`;
    } else if (this.inside(this.map, x, y) && !dense) {
      const k = this.pointAt(x, y);
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
    this.canvas.style.cursor = bar >= 0 ? "pointer" : onMap ? "crosshair" : "";
    this.say(text, x, y);
  }

  cellAt(px, py) {
    const { grid: [nx, ny], limits: [[x0, x1], [y0, y1]] } = this.about;
    const [x, y] = this.inverse(this.map, px, py);
    const i = Math.min(nx - 1, Math.max(0, Math.floor(((x - x0) / (x1 - x0)) * nx)));
    const j = Math.min(ny - 1, Math.max(0, Math.floor(((y - y0) / (y1 - y0)) * ny)));
    return j * nx + i;
  }

  say(text, x = 0, y = 0) {
    this.tip.style.display = text ? "block" : "none";
    if (!text) return;
    this.tip.textContent = text;
    const left = Math.min(x + 12, this.width - this.tip.offsetWidth - 2);
    this.tip.style.left = Math.max(0, left) + "px";
    this.tip.style.top = Math.max(0, y - 28) + "px";
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.stepping);
  }
}

export default {
  render({ model, el }) {
    const plot = new Plot(model, el);
    const everything = ["about", "x", "y", "group", "mask", "cells", "chosen_cells", "height"];
    const onData = () => plot.refresh(true);
    const onSelection = () => {
      const counts = model.get("selection")?.counts;
      if (String(plot.selection.counts) !== String(counts)) plot.fresh = false;
      plot.refresh(false);
    };
    everything.forEach((name) => model.on(`change:${name}`, onData));
    model.on("change:selection", onSelection);
    plot.refresh(true);
    return () => {
      everything.forEach((name) => model.off(`change:${name}`, onData));
      model.off("change:selection", onSelection);
      plot.close();
    };
  },
};
