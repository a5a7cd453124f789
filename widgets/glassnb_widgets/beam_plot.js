// A slab as the beam sees it, with the beam to drag, and the diffraction pattern of the place.
const DECADES = 3; // of the logarithmic scale
const SCALES = {
  log: (share) => (share > 0 ? 1 + Math.log10(share) / DECADES : 0),
  sqrt: (share) => Math.sqrt(Math.max(0, share)),
  linear: (share) => share,
};
const BY_CHANCE = "#56b4e9", NOT_BY_CHANCE = "#ffb000";
const BEAM = "#1a1a1a", PLANES = "#009e73";
const LATE = 1500; // ms after which an answer is not waited for any more

class BeamPlot extends CanvasPlot {
  static css = "glassnb-beam-plot";

  constructor(model, el) {
    super(model, el);
    this.picture = document.createElement("canvas");
    this.serial = 0;
    this.took = []; // ms from a move to its picture
  }

  read() {
    const get = (name) => this.model.get(name);
    this.about = get("about");
    this.selection = get("selection") ?? {};
    const { x, y, species } = get("atoms") ?? {};
    this.data = {
      x: bytes(x, Float32Array), y: bytes(y, Float32Array), species: bytes(species, Uint8Array),
    };
    this.drawn = null;
  }

  get ready() {
    return Boolean(this.about?.box && this.selection?.pattern);
  }

  get emptiness() {
    return "There is no slab yet.";
  }

  get maps() {
    return this.boxes ?? [];
  }

  get label() {
    const { x, y, spots } = this.selection;
    const words = spots.map(([kx, ky, p]) => `k ${Math.hypot(kx, ky).toFixed(3)} 1/Å, p ${p}`);
    return (
      `Slab and diffraction pattern; the beam stands at x ${x.toFixed(2)}, y ${y.toFixed(2)} Å. ` +
      `${spots.length} pairs of spots: ${words.join("; ")}. Arrow keys move the beam.`
    );
  }

  layOut() {
    const top = 28, column = this.width / 2;
    const side = Math.max(80, Math.min(column - 66, this.height - top - 44));
    const place = (k) => ({
      left: k * column + 52, right: k * column + 52 + side, top, bottom: top + side,
    });
    // Both axes have the same scale; what is narrower stands in the middle.
    const square = (ranges) => {
      const wide = Math.max(...ranges.map(([low, high]) => high - low)) / 2;
      return ranges.map(([low, high]) => [(low + high) / 2 - wide, (low + high) / 2 + wide]);
    };
    const { box, k } = this.about;
    const [x, y] = square(box), [kx, ky] = square(k.map((half) => [-half, half]));
    this.boxes = [{ ...place(0), x, y }, { ...place(1), x: kx, y: ky }];
  }

  get pixels() {
    const [slab] = this.boxes;
    return (slab.right - slab.left) / (slab.x[1] - slab.x[0]); // of one Å
  }

  // -- drawing ------------------------------------------------------------------------------------

  drawStill(pen) {
    const [slab, pattern] = this.boxes;
    this.clipped(pen, slab, () => {
      pen.globalAlpha = 0.3;
      for (let k = 0; k < this.data.x.length; k++) this.atom(pen, k, 0.55);
      pen.globalAlpha = 1;
    });
    if (!this.about.edges) {
      const { field: [xs, ys] } = this.about;
      this.region(pen, slab, [xs, ys]);
    }
    const marks = ticks(...slab.x, 5), waves = ticks(...pattern.x, 5);
    const inside = (values, [low, high]) => values.filter((v) => v >= low && v <= high);
    this.axes(pen, slab, marks, inside(ticks(...slab.y, 5), slab.y), "x (Å)", "y (Å)");
    this.axes(
      pen, pattern, waves, inside(waves, pattern.y), "k along x (1/Å)", "k along y (1/Å)",
      pattern.left - 41,
    );
    this.legend(pen, slab, [
      ...this.about.species.map(([name, colour]) => [this.square(pen, colour), name]),
      [(x, y) => this.ring(pen, x + 5.5, y, 5, BEAM, 1.8), "beam (FWHM)"],
      [(x, y) => this.dash(pen, x, y), "planes"],
    ]);
    this.legend(pen, pattern, [
      [(x, y) => this.spot(pen, x + 5.5, y, 5, false), "as by chance"],
      [(x, y) => this.spot(pen, x + 5.5, y, 5, true), "p < 0.05"],
      [(x, y) => this.circle(pen, x + 5.5, y, 5), "this pair"],
    ]);
  }

  atom(pen, k, share) {
    const [, colour, radius] = this.about.species[this.data.species[k]], [slab] = this.boxes;
    pen.fillStyle = colour;
    pen.beginPath();
    const wide = Math.max(1, share * radius * this.pixels);
    pen.arc(this.px(slab, this.data.x[k]), this.py(slab, this.data.y[k]), wide, 0, 2 * Math.PI);
    pen.fill();
  }

  clipped(pen, box, draw) {
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    pen.clip();
    draw();
    pen.restore();
  }

  ring(pen, x, y, radius, colour, width, dash = []) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.stroke();
    pen.setLineDash([]);
  }

  dash(pen, x, y) {
    pen.strokeStyle = PLANES;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + 11, y);
    pen.stroke();
  }

  spot(pen, x, y, radius, good) {
    if (good) this.ring(pen, x, y, radius, "black", 4);
    this.ring(pen, x, y, radius, good ? NOT_BY_CHANCE : BY_CHANCE, good ? 2.5 : 1.3);
  }

  drawMarks(pen) {
    const [slab, pattern] = this.boxes;
    this.clipped(pen, slab, () => this.drawBeam(pen, slab));
    this.clipped(pen, pattern, () => this.drawPattern(pen, pattern));
    this.arrived();
  }

  // The beam and its images, the atoms in it, the planes behind the spot.
  drawBeam(pen, slab) {
    const { fwhm, edges } = this.about, [x, y] = this.beam ?? [this.selection.x, this.selection.y];
    const near = (away, edge) => (edge ? away - edge * Math.round(away / edge) : away);
    for (let k = 0; k < this.data.x.length; k++) {
      const dx = near(this.data.x[k] - x, edges?.[0]), dy = near(this.data.y[k] - y, edges?.[1]);
      if (dx * dx + dy * dy <= fwhm * fwhm) this.atom(pen, k, 0.8);
    }
    pen.strokeStyle = PLANES;
    pen.lineWidth = 2.5;
    if (!this.beam) for (const [x0, y0, x1, y1] of this.selection.lines) {
      pen.beginPath();
      pen.moveTo(this.px(slab, x0), this.py(slab, y0));
      pen.lineTo(this.px(slab, x1), this.py(slab, y1));
      pen.stroke();
    }
    const shifts = edges ? [-1, 0, 1] : [0];
    for (const i of shifts) for (const j of shifts) {
      const px = this.px(slab, x + i * (edges?.[0] ?? 0));
      const py = this.py(slab, y + j * (edges?.[1] ?? 0));
      this.ring(pen, px, py, (fwhm / 2) * this.pixels, "white", 5);
      this.ring(pen, px, py, (fwhm / 2) * this.pixels, BEAM, 2.2);
      this.ring(pen, px, py, fwhm * this.pixels, BEAM, 1, [3, 3]);
    }
  }

  drawPattern(pen, box) {
    const { k, k_disc, k_aperture } = this.about, { range, spots, current } = this.selection;
    const wide = (wave) => (wave / (box.x[1] - box.x[0])) * (box.right - box.left);
    const [x, y] = [this.px(box, 0), this.py(box, 0)];
    pen.fillStyle = "black";
    pen.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    this.paint();
    pen.drawImage(this.picture, x - wide(k[0]), y - wide(k[1]), 2 * wide(k[0]), 2 * wide(k[1]));
    pen.fillStyle = "#777";
    pen.beginPath();
    pen.arc(x, y, wide(k_disc), 0, 2 * Math.PI);
    pen.fill();
    this.rings(pen, x, y, wide, k_disc);
    for (const wave of range) this.ring(pen, x, y, wide(wave), "#f0e442", 1, [4, 4]);
    spots.forEach(([kx, ky, , good], n) => {
      for (const sign of [1, -1]) {
        const [px, py] = [this.px(box, sign * kx), this.py(box, sign * ky)];
        if (n === current) this.circle(pen, px, py, wide(k_aperture));
        else this.spot(pen, px, py, wide(k_aperture), good);
      }
    });
    spots.forEach((one, n) => this.name(pen, box, one, n, wide(k_aperture)));
  }

  // Number and p-value of a pair, above the spot to the right of the middle.
  name(pen, box, [kx, ky, p], n, radius) {
    const text = `${n + 1}: p ${p}`, half = pen.measureText(text).width / 2 + 2;
    const px = Math.min(Math.max(this.px(box, kx), box.left + half), box.right - half);
    const py = Math.max(this.py(box, ky) - radius - 8, box.top + 8);
    this.text(pen, text, px, py, "white");
  }

  text(pen, text, x, y, colour) {
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 3.5;
    pen.strokeStyle = "rgba(0, 0, 0, 0.85)";
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }

  rings(pen, x, y, wide, k_disc) {
    for (const wave of ticks(0, this.boxes[1].x[1], 5)) {
      if (wave <= k_disc) continue;
      this.ring(pen, x, y, wide(wave), "rgba(255, 255, 255, 0.35)", 1);
      const away = wide(wave) * Math.SQRT1_2;
      this.text(pen, String(wave), x - away, y + away, "#ddd");
    }
    this.text(pen, "1/Å", x, y, "white");
  }

  // The pattern as a picture, one pixel for each of its own; painted when it or its scale changes.
  paint() {
    const { pattern, scale } = this.selection, [nx, ny] = this.about.shape;
    if (this.drawn?.pattern === pattern && this.drawn?.scale === scale) return;
    this.drawn = { pattern, scale };
    this.values = bytes(pattern, Float32Array);
    if (this.values.length !== nx * ny) return; // that of the slab before
    Object.assign(this.picture, { width: nx, height: ny });
    const pen = this.picture.getContext("2d"), image = pen.createImageData(nx, ny);
    const shade = SCALES[scale] ?? SCALES.sqrt, top = this.about.top;
    for (let i = 0; i < nx; i++) for (let j = 0; j < ny; j++) {
      const at = 4 * ((ny - 1 - j) * nx + i);
      image.data[at] = image.data[at + 1] = image.data[at + 2] =
        255 * Math.min(1, Math.max(0, shade(this.values[i * ny + j] / top)));
      image.data[at + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  }

  // -- moving the beam ----------------------------------------------------------------------------

  beamTo(x, y) {
    const { field } = this.about;
    this.beam = [x, y].map((value, k) => Math.min(Math.max(value, field[k][0]), field[k][1]));
    if (this.waiting && performance.now() - this.sent < LATE) this.later = true;
    else this.ask();
    this.refresh(false);
  }

  ask() {
    this.later = false;
    this.waiting = ++this.serial;
    this.sent = performance.now();
    const [x, y] = this.beam;
    this.send({ kind: "beam", x, y, serial: this.serial, resting: !this.drag });
  }

  // The pattern that was asked for has been drawn.
  arrived() {
    if (!this.waiting || this.selection.serial !== this.waiting) return;
    this.took.push(performance.now() - this.sent);
    if (this.took.length > 200) this.took.shift();
    this.waiting = 0;
    if (this.later) this.ask();
    else if (!this.drag) this.beam = null;
  }

  move(x, y) {
    if (!this.drag) return super.move(x, y);
    this.say(null);
    if (this.drag.map === 0) this.beamTo(...this.inverse(this.boxes[0], x, y));
  }

  release(event, x, y) {
    const drag = this.drag;
    if (!drag || drag.map !== 0) return super.release(event, x, y);
    this.drag = null; // so that the kernel knows that the beam rests
    this.beamTo(...this.inverse(this.boxes[0], x, y));
  }

  key(event) {
    const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = steps[event.key];
    if (!step || !this.ready) return super.key(event);
    const [x, y] = this.beam ?? [this.selection.x, this.selection.y];
    const by = event.shiftKey ? 2 : 0.25; // Å
    this.beamTo(x + by * step[0], y + by * step[1]);
    event.preventDefault();
    event.stopPropagation();
  }

  // -- words --------------------------------------------------------------------------------------

  hoverAt(px, py) {
    const map = this.mapAt(px, py);
    if (map < 0) return [null, ""];
    const [x, y] = this.inverse(this.boxes[map], px, py);
    if (map === 0) return [`x ${x.toFixed(2)}, y ${y.toFixed(2)} Å`, "move"];
    const wave = Math.hypot(x, y), { k, k_disc } = this.about;
    if (wave < k_disc) return ["central disc and its interference", "default"];
    const [nx, ny] = this.about.shape;
    const i = Math.floor(((x + k[0]) / (2 * k[0])) * nx);
    const j = Math.floor(((y + k[1]) / (2 * k[1])) * ny);
    const value = i >= 0 && j >= 0 && i < nx && j < ny ? this.values?.[i * ny + j] : undefined;
    const bright = value === undefined ? "" : `, ${value.toExponential(1)} of the current`;
    return [`k ${wave.toFixed(3)} 1/Å, d ${(1 / wave).toFixed(2)} Å${bright}`, "crosshair"];
  }
}

export default widgetOf(BeamPlot, ["about", "atoms", "height"], () => false);
