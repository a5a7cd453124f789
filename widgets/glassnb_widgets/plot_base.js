// What plots on a canvas share: axes, a legend, marks, tooltips, clicks, dragging and keys. A plot
// is a class that extends `CanvasPlot`; this text stands in front of its own (see plot_base.py).
// What is drawn comes from the kernel as arrays of bytes; what is done goes back as messages.
const NEAR = 9; // pixels in which a click finds a point

const bytes = (view, Type) =>
  view?.byteLength
    ? new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
    : new Type();

class CanvasPlot extends Pens {
  constructor(model, el) {
    super();
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
    this.canvas.className = this.constructor.css;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("data-lm-suppress-shortcuts", "true"); // the arrow keys are ours
    this.canvas.glassnb = this;
    window.Jupyter?.keyboard_manager?.register_events(this.root);
    this.still = document.createElement("canvas"); // all but marks: drawn when the data change
    this.steps = 0;
    this.read();
    this.listen();
  }

  // -- for the plots to say ------------------------------------------------------------------------

  // Fetch what the kernel has sent.
  read() {}

  get ready() {
    return true;
  }

  // What stands there while there is nothing to draw.
  get emptiness() {
    return "";
  }

  // Make the boxes: left, right, top and bottom in pixels, and x and y, the ends of their axes.
  layOut() {}

  // Boxes in which points are clicked and regions are dragged.
  get maps() {
    return [];
  }

  // Whether a region may be of any shape: dragged with Shift.
  get lassos() {
    return false;
  }

  drawStill(pen) {}

  drawMarks(pen) {}

  // The text of a place, and what the pointer looks like there.
  hoverAt(x, y) {
    return [null, ""];
  }

  // What a reader of the page hears.
  get label() {
    return "";
  }

  // Clicked outside all maps.
  clickAt(event, x, y) {}

  // -- data ---------------------------------------------------------------------------------------

  // Many changes in one message are drawn once.
  refresh(all) {
    if (all) this.stale = true;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.stale) {
        this.read();
        this.fresh = false;
      }
      this.stale = false;
      this.selection = this.model.get("selection") ?? {};
      this.draw();
      this.canvas.setAttribute("aria-label", this.ready ? this.label : this.emptiness);
    });
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
    if (this.ready) this.layOut();
  }

  mapAt(px, py) {
    return this.maps.findIndex((box) => this.inside(box, px, py));
  }

  // The point next to a place, or -1; `may` tells which count.
  nearest(box, xs, ys, px, py, may) {
    let best = NEAR * NEAR, found = -1;
    for (let k = 0; k < xs.length; k++) {
      if (!may(k)) continue;
      const dx = this.px(box, xs[k]) - px, dy = this.py(box, ys[k]) - py;
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
      if (this.ready) this.drawStill(pen);
      else {
        pen.fillStyle = INK;
        pen.textAlign = "center";
        pen.fillText(this.emptiness, this.width / 2, this.height / 3);
      }
      this.fresh = true;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.drawImage(this.still, 0, 0);
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (!this.ready) return;
    this.drawMarks(pen);
    if (!this.drag?.far) return;
    const { x0, y0, x1, y1, path } = this.drag;
    if (path) return this.loop(pen, path);
    pen.fillStyle = "rgba(80, 130, 200, 0.15)";
    pen.fillRect(x0, y0, x1 - x0, y1 - y0);
    this.rectangle(pen, x0, y0, x1 - x0, y1 - y0, []);
  }

  // -- what is done with mouse and keyboard -------------------------------------------------------

  listen() {
    const canvas = this.canvas;
    const on = (name, act) => canvas.addEventListener(name, (event) => {
      const frame = canvas.getBoundingClientRect();
      act(event, event.clientX - frame.left, event.clientY - frame.top);
    });
    on("pointerdown", (event, x, y) => {
      const map = this.ready && event.button === 0 ? this.mapAt(x, y) : -1;
      if (map < 0) return;
      canvas.setPointerCapture(event.pointerId);
      const path = this.lassos && event.shiftKey ? [[x, y]] : null;
      this.drag = { map, x0: x, y0: y, x1: x, y1: y, far: false, path };
    });
    on("pointermove", (event, x, y) => this.move(x, y));
    on("pointerup", (event, x, y) => this.release(event, x, y));
    on("pointercancel", () => (this.drag = null));
    on("pointerleave", () => this.say(null));
    on("dblclick", (event, x, y) => {
      if (this.ready && this.mapAt(x, y) >= 0) this.send({ kind: "clear" });
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
      const { drag } = this, map = this.maps[drag.map];
      drag.x1 = Math.min(Math.max(x, map.left), map.right);
      drag.y1 = Math.min(Math.max(y, map.top), map.bottom);
      drag.path?.push([drag.x1, drag.y1]);
      drag.far ||= Math.hypot(x - drag.x0, y - drag.y0) > 5;
      this.say(null);
      this.refresh(false);
      return;
    }
    const [text, cursor] = this.hoverAt(x, y);
    this.canvas.style.cursor = cursor;
    this.say(text, x, y);
  }

  release(event, x, y) {
    if (!this.ready || event.button !== 0) return;
    const drag = this.drag, map = this.mapAt(x, y);
    this.drag = null;
    if (drag?.far) {
      const box = this.maps[drag.map];
      if (drag.path) {
        const points = drag.path.map(([px, py]) => this.inverse(box, px, py));
        this.send({ kind: "lasso", points, map: drag.map });
        this.refresh(false);
        return;
      }
      const a = this.inverse(box, drag.x0, drag.y0), b = this.inverse(box, drag.x1, drag.y1);
      const between = (k) => [Math.min(a[k], b[k]), Math.max(a[k], b[k])];
      this.send({ kind: "region", x: between(0), y: between(1), map: drag.map });
    } else if (map >= 0) {
      const box = this.maps[map];
      const [rx, ry] = this.inverse(box, x, y);
      const reach = ["x", "y"].map((axis, k) => {
        const long = k ? box.bottom - box.top : box.right - box.left;
        return (NEAR * (box[axis][1] - box[axis][0])) / long;
      });
      this.send({ kind: "point", x: rx, y: ry, reach, map });
    } else this.clickAt(event, x, y);
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

// The widget of a plot: `data` are the traits with which everything is drawn again; `changed` tells
// whether another selection needs that as well.
const widgetOf = (Plot, data, changed) => ({
  render({ model, el }) {
    const plot = new Plot(model, el);
    const onData = () => plot.refresh(true);
    const onSelection = () => {
      if (changed(plot.selection, model.get("selection") ?? {})) plot.fresh = false;
      plot.refresh(false);
    };
    data.forEach((name) => model.on(`change:${name}`, onData));
    model.on("change:selection", onSelection);
    plot.refresh(true);
    return () => {
      data.forEach((name) => model.off(`change:${name}`, onData));
      model.off("change:selection", onSelection);
      plot.close();
    };
  },
});
