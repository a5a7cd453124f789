// Persistence diagrams of one or two structures: a histogram on a grid, and single pairs.
class DiagramPlot extends CanvasPlot {
  static css = "glassnb-diagram-plot";

  read() {
    const get = (name) => this.model.get(name);
    this.about = get("about");
    this.selection = get("selection") ?? {};
    this.data = (get("maps") ?? []).map(({ x, y, pair, cells }) => ({
      x: bytes(x, Float32Array), y: bytes(y, Float32Array),
      pair: bytes(pair, Int32Array), cells: bytes(cells, Uint32Array),
    }));
    this.chosen = (get("chosen") ?? []).map(({ mask, cells }) => ({
      mask: bytes(mask, Uint8Array), cells: bytes(cells, Uint32Array),
    }));
  }

  get ready() {
    return Boolean(this.about?.limits);
  }

  get emptiness() {
    return "There is no diagram yet.";
  }

  get maps() {
    return this.boxes ?? [];
  }

  get label() {
    const { totals, words } = this.about;
    const counts = this.selection.counts ?? totals;
    const each = totals.map((total, k) => `${total} ${words}, ${counts[k]} selected`);
    return (
      `Persistence diagram, births and deaths: ${each.join("; ")}. Arrow keys go from pair to ` +
      "pair, Escape selects all."
    );
  }

  layOut() {
    const { limits, titles } = this.about;
    const n = titles.length, column = this.width / n;
    const top = n > 1 ? 46 : 28;
    const side = Math.max(80, Math.min(column - 68, this.height - top - 42));
    this.boxes = titles.map((title, k) => ({
      left: k * column + 54, right: k * column + 54 + side, top, bottom: top + side,
      x: limits, y: limits,
    }));
  }

  // -- drawing ------------------------------------------------------------------------------------

  // The colour of a count: dark for one pair, bright for the most.
  get shadeOf() {
    const shade = this.shades(), most = Math.log(Math.max(2, this.about.most));
    return (count) => shade(1 - Math.log(count) / most);
  }

  drawStill(pen) {
    this.boxes.forEach((box, k) => {
      this.drawCells(pen, box, k);
      this.drawPoints(pen, box, k);
      this.drawFrame(pen, box, k);
    });
    const { most, words } = this.about;
    const [box] = this.boxes, bar = this.ramp(pen, 60, true);
    const pad = " ".repeat(15); // the bar is wider than a square
    this.legend(pen, { ...box, top: this.boxes.length > 1 ? box.top - 20 : box.top }, [
      [null, `${words}: 1`], [bar, `${pad}${most}`],
      [this.square(pen, GREY), "not selected"],
      [(x, y) => this.circle(pen, x + 5.5, y, 5), "this pair"],
    ]);
  }

  drawFrame(pen, box, k) {
    const marks = ticks(...box.x, this.boxes.length > 1 ? 5 : 6);
    pen.strokeStyle = "#999";
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(box.left, box.bottom);
    pen.lineTo(box.right, box.top);
    pen.stroke();
    this.axes(pen, box, marks, marks, "birth (Å²)", k ? "" : "death (Å²)", 10 + box.left - 54);
    const outside = this.about.outside[k];
    if (outside) {
      pen.textAlign = "right";
      pen.textBaseline = "top";
      pen.fillText(`${outside} outside`, box.right, box.bottom + 24);
    }
    if (this.boxes.length < 2) return;
    const drawn = (this.selection.which ?? 0) === k;
    pen.save();
    pen.font = `${drawn ? "bold " : ""}${FONT}`;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.fillText(this.about.titles[k], box.left, box.top - 10);
    pen.restore();
  }

  drawCells(pen, box, k) {
    const { bins, limits: [low, high] } = this.about;
    const { cells } = this.data[k], chosen = this.chosen[k]?.cells;
    const shade = this.shadeOf, step = (high - low) / bins;
    const wide = (box.right - box.left) / bins + 0.4;
    cells.forEach((count, at) => {
      if (!count) return;
      const some = chosen?.length ? chosen[at] : count;
      pen.fillStyle = some ? shade(some) : GREY;
      const x = this.px(box, low + (at % bins) * step);
      const y = this.py(box, low + (Math.floor(at / bins) + 1) * step);
      pen.fillRect(x, y, wide, wide);
    });
  }

  drawPoints(pen, box, k) {
    const { x, y } = this.data[k], mask = this.chosen[k]?.mask;
    const radius = Math.min(3.5, Math.max(1.3, 60 / Math.sqrt(x.length + 1)));
    const dot = (i) => {
      pen.beginPath();
      pen.arc(this.px(box, x[i]), this.py(box, y[i]), radius, 0, 2 * Math.PI);
      pen.fill();
    };
    pen.fillStyle = GREY;
    if (mask?.length) for (let i = 0; i < x.length; i++) if (!mask[i]) dot(i);
    pen.fillStyle = this.shadeOf(1);
    for (let i = 0; i < x.length; i++) if (!mask?.length || mask[i]) dot(i);
  }

  drawMarks(pen) {
    const { box: limits, lasso, which, point } = this.selection;
    this.boxes.forEach((box, k) => {
      if (limits) {
        const ends = limits.map(([low, high], axis) => {
          const [first, last] = axis ? box.y : box.x;
          return [low ?? first, high ?? last];
        });
        this.region(pen, box, ends);
      }
      if (lasso?.length) this.loop(pen, lasso.map(([x, y]) => [this.px(box, x), this.py(box, y)]));
      if (point && which === k) {
        const inside = point.every((value, axis) => {
          const [first, last] = axis ? box.y : box.x;
          return value >= first && value <= last;
        });
        if (inside) this.circle(pen, this.px(box, point[0]), this.py(box, point[1]), 7);
      }
    });
  }

  // -- words --------------------------------------------------------------------------------------

  hoverAt(px, py) {
    const k = this.mapAt(px, py);
    if (k < 0) return [null, ""];
    const box = this.boxes[k], { x, y, pair, cells } = this.data[k];
    const mask = this.chosen[k]?.mask;
    const i = this.nearest(box, x, y, px, py, (at) => !mask?.length || mask[at]);
    const [cell, range] = this.cellAt(box, px, py);
    if (i >= 0 && !(cells[cell] > 0)) {
      const [birth, death] = [x[i], y[i]];
      const numbers = [birth, death, death - birth].map((value) => value.toFixed(3));
      const [born, died, lived] = numbers;
      const text = `pair ${pair[i]}: birth ${born}, death ${died}, lifetime ${lived} Å²`;
      return [text, "crosshair"];
    }
    if (!cells[cell]) return [null, "crosshair"];
    const chosen = this.chosen[k]?.cells;
    const some = chosen?.length ? chosen[cell] : cells[cell];
    return [`${cells[cell]} pairs here (${range}), ${some} selected`, "crosshair"];
  }

  cellAt(box, px, py) {
    const { bins, limits: [low, high] } = this.about;
    const [column, row] = this.inverse(box, px, py).map((value) =>
      Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins))),
    );
    const middle = (at) => (low + ((at + 0.5) * (high - low)) / bins).toFixed(2);
    return [row * bins + column, `birth ${middle(column)}, death ${middle(row)} Å²`];
  }

  get lassos() {
    return true;
  }
}

export default widgetOf(
  DiagramPlot,
  ["about", "maps", "chosen", "height"],
  (before, now) => before.which !== now.which,
);
