// Pens for plots on a canvas: boxes with axes, legends, marks, colours of counts. A box has left,
// right, top and bottom in pixels, and x and y, the ends of its axes. Stands in front of
// plot_base.js (see plot_base.py).
const MARK = "#d90099"; // as in the picture of the structure
const GREY = "rgba(128, 128, 128, 0.30)";
const INK = "#222";
const FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const VIRIDIS = ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"];

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

class Pens {
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

  axes(pen, box, xs, ys, xName, yName, side = 11) {
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
    pen.translate(side, (box.top + box.bottom) / 2);
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

  circle(pen, x, y, radius) {
    for (const [colour, width] of [["white", 5], [MARK, 2.5]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 2 * Math.PI);
      pen.stroke();
    }
  }

  rectangle(pen, x, y, wide, high, dash) {
    pen.strokeStyle = INK;
    pen.lineWidth = 1;
    pen.setLineDash(dash);
    pen.strokeRect(x, y, wide, high);
    pen.setLineDash([]);
  }

  // A closed line through points.
  loop(pen, points) {
    pen.strokeStyle = INK;
    pen.lineWidth = 1;
    pen.setLineDash([5, 4]);
    pen.fillStyle = "rgba(80, 130, 200, 0.10)";
    pen.beginPath();
    points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.fill();
    pen.stroke();
    pen.setLineDash([]);
  }

  // The region of a map that is selected: [low, high] of x and of y.
  region(pen, box, [xs, ys]) {
    const clip = (value, [low, high]) => Math.min(Math.max(value, low), high);
    const [left, right] = xs.map((x) => this.px(box, clip(x, box.x)));
    const [low, high] = ys.map((y) => this.py(box, clip(y, box.y)));
    this.rectangle(pen, left, high, right - left, low - high, [5, 4]);
  }

  // Colours of counts, from 1 to the largest, on a logarithmic scale.
  shades() {
    const ramp = document.createElement("canvas").getContext("2d");
    const paint = ramp.createLinearGradient(0, 0, 256, 0);
    VIRIDIS.forEach((colour, k) => paint.addColorStop(k / (VIRIDIS.length - 1), colour));
    ramp.fillStyle = paint;
    ramp.fillRect(0, 0, 256, 1);
    const pixels = ramp.getImageData(0, 0, 256, 1).data;
    return (share) => {
      const place = 4 * Math.min(255, Math.max(0, Math.round(255 * share)));
      return `rgb(${pixels.slice(place, place + 3).join()})`;
    };
  }

  // The bar of these colours, for a legend; `bright` where the largest count is the brightest.
  ramp(pen, width, bright = false) {
    return (x, y) => {
      const paint = pen.createLinearGradient(x, 0, x + width, 0);
      const colours = bright ? VIRIDIS.toReversed() : VIRIDIS;
      colours.forEach((colour, k) => paint.addColorStop(k / (colours.length - 1), colour));
      pen.fillStyle = paint;
      pen.fillRect(x, y - 5.5, width, 11);
    };
  }
}
