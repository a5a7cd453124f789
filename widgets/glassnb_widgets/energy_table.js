// A table of atoms: a click on a row, or Enter, tells the kernel which one.
const CELL = "text-align:right;padding:1px 12px 1px 4px;white-space:nowrap";

function fill(model, table) {
  const head = document.createElement("tr");
  for (const title of model.get("columns")) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    cell.style.cssText = `${CELL};position:sticky;top:0;background:var(--jp-layout-color1, white)`;
    head.append(cell);
  }
  const rows = model.get("rows").map(([atom, ...texts]) => {
    const row = document.createElement("tr");
    row.tabIndex = 0;
    row.dataset.atom = atom;
    row.style.cursor = "pointer";
    for (const text of texts) {
      const cell = document.createElement("td");
      cell.textContent = text;
      cell.style.cssText = CELL;
      row.append(cell);
    }
    return row;
  });
  table.replaceChildren(head, ...rows);
}

function mark(model, table, frame) {
  const current = model.get("current");
  for (const row of table.rows) {
    const here = Number(row.dataset.atom ?? NaN) === current;
    row.style.background = here ? "rgba(217, 0, 153, 0.16)" : "";
    if (here) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    if (!here) continue;
    const low = row.offsetTop - 24, high = row.offsetTop + row.offsetHeight;
    if (low < frame.scrollTop) frame.scrollTop = low;
    else if (high > frame.scrollTop + frame.clientHeight) frame.scrollTop = high - frame.clientHeight;
  }
}

export default {
  render({ model, el }) {
    const frame = document.createElement("div"), table = document.createElement("table");
    frame.className = "glassnb-atom-table";
    frame.style.cssText = "max-height:300px;overflow:auto;position:relative";
    table.style.cssText = "border-collapse:collapse;line-height:1.5";
    frame.append(table);
    el.append(frame);
    const pick = (event) => {
      const row = event.target.closest("tr[data-atom]");
      if (!row) return;
      const add = event.shiftKey || event.ctrlKey || event.metaKey;
      model.send({ kind: "row", atom: Number(row.dataset.atom), add });
    };
    table.addEventListener("click", pick);
    table.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      pick(event);
      event.preventDefault();
      event.stopPropagation();
    });
    const all = () => {
      table.setAttribute("aria-label", model.get("label"));
      fill(model, table);
      mark(model, table, frame);
    };
    const some = () => mark(model, table, frame);
    ["columns", "rows", "label"].forEach((name) => model.on(`change:${name}`, all));
    model.on("change:current", some);
    all();
    return () => {
      ["columns", "rows", "label"].forEach((name) => model.off(`change:${name}`, all));
      model.off("change:current", some);
    };
  },
};
