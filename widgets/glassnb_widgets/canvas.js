// Draws what the kernel asks for. Evaluated once in every nglview view: `this` is the view, and
// NGL is in scope. Only what a message names is drawn again; the rest stays as it is.
if (!this.glassnb) {
  const view = this;
  const stage = view.stage;

  class Drawing {
    constructor() {
      this.colours = []; // one number 0xRRGGBB per atom
      this.shown = new Set(); // indices of the atoms on show
      this.started = false;
      this.ends = []; // indices of the bond ends on show
      this.names = [];
      this.parts = {}; // NGL components by name
      this.pending = Promise.resolve();
      const drawing = this;
      this.scheme = NGL.ColormakerRegistry.addScheme(function () {
        this.atomColor = (atom) => drawing.colours[atom.index] ?? 0x999999;
      });
      stage.setParameters({
        clipDist: 0, fogNear: 60, fogFar: 110, cameraFov: 20, backgroundColor: "white",
      });
      // A click measures; it must not move the camera as well.
      stage.mouseControls.remove("clickPick-left", NGL.MouseActions.movePick);
      stage.mouseControls.remove("hoverPick", NGL.MouseActions.tooltipPick);
      stage.signals.hovered.add((pick) => this.hover(pick));
      stage.signals.clicked.add((pick) => this.click(pick));
      view.$pickingInfo.remove();
      // jQuery has no say in the width: the view follows the column it stands in.
      new ResizeObserver(() => {
        stage.handleResize();
        if (this.target) this.aim(this.target);
      }).observe(view.el);
    }

    // Messages are drawn one after the other, also where one has to wait for a file to be read.
    draw(state) {
      this.pending = this.pending
        .then(() => this.apply(state))
        .catch((error) => console.error("glassnb:", error));
    }

    // The first message a view obeys is the whole picture; later views ask for it again, and the
    // views that have it do not listen.
    async apply(state) {
      if (Boolean(state.whole) === this.started) return;
      this.started = true;
      const empty = !this.parts.atoms;
      if (state.colours) this.colours = state.colours;
      if (state.shown) this.shown = new Set(state.shown);
      if (state.bond_ends) this.ends = state.bond_ends;
      const parts = [select([...this.shown]), select([...this.shown, ...this.ends])];
      if (state.structure) await this.load(state.structure, parts);
      else if (!empty && (state.colours || state.shown || state.bond_ends)) {
        this.reps.forEach((rep, k) => {
          // A new selection is drawn in the new colours; without one they need to be asked for.
          if (rep.getParameters().sele !== parts[k]) rep.setSelection(parts[k]);
          else if (state.colours) rep.update({ color: true });
        });
      }
      if ("ring" in state) this.ring(state.ring);
      if ("cycle" in state) this.cycle(state.cycle);
      if ("cell" in state) this.cell(state.cell);
      const loaded = Boolean(this.parts.atoms);
      if (loaded) this.look(state);
      if (state.camera && !(state.camera.stay && this.aimed)) this.aim(state.camera);
      else if (loaded && (state.fit || empty)) this.fit();
      stage.viewer.requestRender();
      view.el.dataset.drawn = state.serial;
    }

    // What is drawn of the atoms that are loaded.
    look(state) {
      if ("bonds" in state) this.reps[1].setVisibility(state.bonds);
      if ("polyhedra" in state) this.triangles = state.polyhedra;
      if ("polyhedra" in state || state.shown || state.colours) this.polyhedra();
      if ("marks" in state) this.marks(state.marks);
      if ("fade" in state) this.reps.forEach((rep) => rep.setParameters({ opacity: state.fade }));
    }

    // The whole cell in sight, at first seen a little from the side. NGL's own autoView wastes
    // most of a wide canvas.
    fit() {
      const { viewer, viewerControls, animationControls } = stage;
      if (!this.tilted) {
        this.tilted = true;
        viewerControls.spin([0, 1, 0], -0.3);
        viewerControls.spin([1, 0, 0], 0.2);
      }
      const { min, max } = viewer.boundingBox;
      if (!(min.x <= max.x)) return; // nothing is on show
      const reach = [0, 0, 0]; // half the extent to the right, up, and towards the eye
      for (let k = 0; k < 4; k++) {
        const half = max.clone().sub(min).multiplyScalar(0.5);
        half.set(half.x, k & 1 ? -half.y : half.y, k & 2 ? -half.z : half.z);
        half.applyQuaternion(viewerControls.rotation);
        half.toArray().forEach((x, i) => (reach[i] = Math.max(reach[i], Math.abs(x))));
      }
      const slope = Math.tan((viewer.camera.fov * Math.PI) / 360);
      const distance = Math.max(reach[1], (reach[0] * viewer.height) / viewer.width) / slope;
      const centre = min.clone().add(max).multiplyScalar(0.5);
      animationControls.zoomMove(centre, -(1.08 * distance + reach[2]), 0);
    }

    async load(structure, [balls, sticks]) {
      const old = this.parts.atoms;
      const file = new Blob([structure.mol2], { type: "text/plain" });
      const atoms = await stage.loadFile(file, { ext: "mol2", defaultRepresentation: false });
      const radii = Object.assign({}, structure.radii);
      this.names = structure.names;
      this.parts.atoms = atoms;
      this.reps = [
        atoms.addRepresentation("spacefill", {
          sele: balls, color: this.scheme, radiusType: "data", radiusData: radii,
        }),
        atoms.addRepresentation("licorice", {
          sele: sticks, color: this.scheme, radiusType: "size", radiusSize: structure.stick,
          disablePicking: true,
        }),
      ];
      if (old) stage.removeComponent(old);
    }

    replace(name, shape, options) {
      const old = this.parts[name];
      delete this.parts[name];
      if (shape) {
        this.parts[name] = stage.addComponentFromObject(shape);
        this.parts[name].addRepresentation("buffer", { disablePicking: true, ...options });
      }
      if (old) stage.removeComponent(old);
    }

    cell(edges) {
      const shape = edges && new NGL.Shape("cell");
      edges?.forEach(([a, b]) => shape.addCylinder(a, b, [0.35, 0.35, 0.35], 0.06));
      this.replace("cell", shape, {});
    }

    polyhedra() {
      const { corners, centres } = this.triangles ?? { corners: [], centres: [] };
      const position = [], colour = [], normal = [];
      centres.forEach((centre, k) => {
        if (!this.shown.has(centre)) return;
        const p = corners.slice(9 * k, 9 * k + 9);
        const n = normalOf(p), c = rgb(this.colours[centre]);
        position.push(...p);
        for (let corner = 0; corner < 3; corner++) colour.push(...c), normal.push(...n);
      });
      const shape = position.length ? new NGL.Shape("polyhedra") : null;
      shape?.addMesh(position, colour, undefined, normal);
      this.replace("polyhedra", shape, { opacity: 0.45, side: "double", depthWrite: false });
    }

    marks(marks) {
      const shape = marks && new NGL.Shape("marks");
      marks?.spheres.forEach(([p, r]) => shape.addSphere(p, MARK, r));
      marks?.lines.forEach(([a, b]) => shape.addCylinder(a, b, MARK, 0.1));
      this.replace("marks", shape, { opacity: 0.6 });
    }

    // Atoms anywhere in space, with bonds between them.
    cluster(name, atoms, stick) {
      const shape = atoms && new NGL.Shape(name, { sphereDetail: 2 });
      const { points, radii, colours, names, links } = atoms ?? {};
      radii?.forEach((radius, k) =>
        shape.addSphere(points.slice(3 * k, 3 * k + 3), rgb(colours[k]), radius, names[k]),
      );
      for (let k = 0; k < (links?.length ?? 0); k += 2) {
        const [a, b] = [links[k], links[k + 1]].map((i) => points.slice(3 * i, 3 * i + 3));
        const middle = a.map((x, i) => (x + b[i]) / 2);
        shape.addCylinder(a, middle, rgb(colours[links[k]]), stick);
        shape.addCylinder(middle, b, rgb(colours[links[k + 1]]), stick);
      }
      this.replace(name, shape, { disablePicking: false });
    }

    // Triangles, their corners one after the other.
    sheet(name, corners, colour, opacity) {
      const shape = corners?.length ? new NGL.Shape(name) : null;
      const normals = [];
      for (let k = 0; k < (corners?.length ?? 0); k += 9) {
        const n = normalOf(corners.slice(k, k + 9));
        normals.push(...n, ...n, ...n);
      }
      const fill = (corners ?? []).map((x, k) => colour[k % 3]);
      shape?.addMesh(corners, fill, undefined, normals);
      this.replace(name, shape, { opacity, side: "double", depthWrite: false });
    }

    // The cycle of persistent homology: lines, what they surround, what lies within that.
    cycle(cycle) {
      this.cluster("cycle atoms", cycle?.atoms, cycle?.stick);
      const lines = cycle?.lines.length ? new NGL.Shape("cycle") : null;
      for (let k = 0; k < (cycle?.lines.length ?? 0); k += 6) {
        const [a, b] = [cycle.lines.slice(k, k + 3), cycle.lines.slice(k + 3, k + 6)];
        lines.addCylinder(a, b, cycle.thin ? EDGE : MARK, cycle.thin ? 0.035 : 0.17);
        if (!cycle.thin) lines.addSphere(a, MARK, 0.17).addSphere(b, MARK, 0.17);
      }
      this.replace("cycle", lines, {});
      this.sheet("volume", cycle?.volume, cycle?.thin ? CAVITY : PLANE, cycle?.inner ? 0.15 : 0.45);
      this.sheet("inner", cycle?.inner, INNER, 0.55);
    }

    // A ring with its shape, and the atoms around it where the structure itself is not drawn.
    ring(ring) {
      this.cluster("ring atoms", ring?.atoms, ring?.stick);

      const lines = ring && new NGL.Shape("ring");
      ring?.corners.forEach((corner, k) =>
        lines.addCylinder(corner, ring.corners[(k + 1) % ring.corners.length], MARK, 0.17),
      );
      if (ring?.normal) lines.addArrow(ring.centre, ring.normal, NORMAL, 0.1);
      this.replace("ring", lines, {});

      const clear = { opacity: 0.35, side: "double", depthWrite: false };
      const plane = ring?.plane && new NGL.Shape("plane");
      if (plane) {
        const corners = disc(ring.centre, ...ring.plane);
        const fill = (row) => corners.map((x, k) => row[k % 3]);
        plane.addMesh(corners, fill(PLANE), undefined, fill(normalOf(corners)));
      }
      this.replace("plane", plane, clear);

      const egg = ring?.ellipsoid && new NGL.Shape("ellipsoid", { sphereDetail: 3 });
      if (egg) {
        const [major, minor, thin] = ring.ellipsoid;
        egg.addEllipsoid(ring.centre, ELLIPSOID, thin, major, minor);
      }
      this.replace("ellipsoid", egg, { ...clear, opacity: 0.45, side: "front" });
    }

    // Something in the centre, as large as the canvas allows; `axes` (to the right, up, towards
    // the eye) turn it. Their signs mean nothing: the nearest turn is taken.
    aim(target) {
      const { viewer, viewerControls, animationControls } = stage;
      const hidden = !(viewer.width && viewer.height);
      this.target = hidden ? target : null; // a view that is hidden has no size yet
      if (hidden) return;
      this.aimed = true;
      const { centre, radius, axes } = target;
      this.tilted = true;
      if (axes) {
        const now = viewerControls.rotation.clone();
        const tilt = new NGL.Quaternion().set(Math.sin(TILT / 2), 0, 0, Math.cos(TILT / 2));
        const turns = SIGNS.map((signs) => {
          const [u, v, n] = axes.map((axis, k) => axis.map((x) => x * signs[k]));
          const matrix = new NGL.Matrix4().set(...u, 0, ...v, 0, ...n, 0, 0, 0, 0, 1);
          return tilt.clone().multiply(new NGL.Quaternion().setFromRotationMatrix(matrix));
        });
        const near = (q) => Math.abs(q.x * now.x + q.y * now.y + q.z * now.z + q.w * now.w);
        viewerControls.rotate(turns.reduce((a, b) => (near(b) > near(a) ? b : a)));
      }
      const slope = Math.tan((viewer.camera.fov * Math.PI) / 360);
      const wide = Math.min(1, viewer.width / viewer.height);
      const middle = new NGL.Vector3().fromArray(centre);
      animationControls.zoomMove(middle, -(radius / (slope * wide) + radius), 0);
    }

    // Atoms drawn with a ring are spheres, of which nglview does not tell the kernel.
    click(pick) {
      const atom = /^\w+ (\d+)$/.exec(pick?.sphere?.name ?? "");
      if (!atom) return;
      view.model.set("picked", { atom1: { index: Number(atom[1]) } });
      view.touch();
    }

    hover(pick) {
      const tip = stage.tooltip;
      const name = pick?.atom ? this.names[pick.atom.index] : pick?.sphere?.name;
      tip.style.display = name ? "block" : "none";
      if (!name) return;
      tip.innerText = name;
      tip.style.bottom = window.innerHeight - pick.mouse.position.y + 3 + "px";
      tip.style.left = pick.mouse.position.x + 3 + "px";
    }
  }

  const PLANE = [0, 0.62, 0.45], ELLIPSOID = [0.16, 0.42, 0.8], NORMAL = [0.15, 0.15, 0.15];
  const CAVITY = [0.16, 0.42, 0.8], INNER = [0.9, 0.45, 0.05], EDGE = [0.1, 0.22, 0.45];
  const TILT = -0.45;
  const SIGNS = [[1, 1, 1], [-1, -1, 1], [1, -1, -1], [-1, 1, -1]];
  // Triangles of an ellipse with two semi-axes.
  const disc = (centre, u, v) => {
    const n = 48, position = [];
    const rim = (k) => {
      const [c, s] = [Math.cos((2 * Math.PI * k) / n), Math.sin((2 * Math.PI * k) / n)];
      return centre.map((x, i) => x + c * u[i] + s * v[i]);
    };
    for (let k = 0; k < n; k++) position.push(...centre, ...rim(k), ...rim(k + 1));
    return position;
  };
  const MARK = [0.85, 0, 0.6]; // stands out from every colour map on offer
  const select = (indices) => (indices.length ? "@" + indices.join(",") : "none");
  const rgb = (n) => [(n >> 16) / 255, ((n >> 8) & 255) / 255, (n & 255) / 255];
  const normalOf = (p) => {
    const u = [p[3] - p[0], p[4] - p[1], p[5] - p[2]];
    const v = [p[6] - p[0], p[7] - p[1], p[8] - p[2]];
    const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const length = Math.hypot(...n) || 1;
    return n.map((x) => x / length);
  };

  this.glassnb = new Drawing();
}
