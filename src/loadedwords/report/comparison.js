(function () {
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const folded = data.names.map(name => name.toLowerCase());
const by = id => document.getElementById(id);
const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
all("[data-js]").forEach(element => { element.hidden = false; });

// Downloads. A cell that a spreadsheet would take for a formula gets an apostrophe.
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = /^[\s\u0000-\u001f\ufeff]*[=+\-@\uff0b\uff0d\uff1d\uff20]/.test(value) || /^[\t\r\n]/.test(value) ? "'" + value : value;
  return '"' + safe.replace(/"/g, '""') + '"';
}
function read(column, at) {
  const value = column.values[at];
  if (value === null) return null;
  if (column.kind === "outlet") return data.names[value];
  return column.digits ? value / Math.pow(10, column.digits) : value;
}
function tableRows(name) {
  const columns = data.tables[name] || [];
  const rows = [columns.map(column => column.name)];
  const n = columns.length ? columns[0].values.length : 0;
  for (let at = 0; at < n; at++) rows.push(columns.map(column => read(column, at)));
  return rows;
}
function eventRows() {
  const rows = [["event_id", "article_id", "outlet", "title", "date", "loaded_share", "sentence", "p_own"]];
  all("#event-list article").forEach(article => {
    const told = article.dataset, share = told.share === "" ? null : Number(told.share);
    const start = [told.event, told.id, data.names[Number(told.outlet)], article.querySelector("h5").textContent, told.date, share];
    const sentences = all("li[data-p]", article);
    if (!sentences.length) rows.push(start.concat([null, null]));
    sentences.forEach(item => rows.push(start.concat([item.querySelector("q").textContent, Number(item.dataset.p)])));
  });
  return rows;
}
all("button[data-csv]").forEach(button => button.addEventListener("click", () => {
  const name = button.dataset.csv;
  const rows = name === "events" ? eventRows() : tableRows(name);
  const text = "\ufeff" + rows.map(row => row.map(cell).join(",")).join("\r\n") + "\r\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv;charset=utf-8"}));
  link.download = name + ".csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}));

// Filters. Hiding goes by the attribute, which SVG elements have too.
let wanted = null;
const hide = (element, hidden) => element.toggleAttribute("hidden", hidden);
const hit = element => wanted === null || element.dataset.o.split(" ").some(o => wanted.has(Number(o)));
const plain = all("[data-o]:not([data-own])");
const packed = all("svg[data-row]");
function pack(svg) {
  const height = Number(svg.dataset.row);
  let at = 0;
  all("g[data-o]", svg).forEach(row => {
    if (!row.hasAttribute("hidden")) row.setAttribute("transform", "translate(0," + height * at++ + ")");
  });
  svg.setAttribute("viewBox", "0 0 620 " + Math.max(1, height * at));
}
function chooseWords() {
  const select = by("words-outlet");
  if (!select) return;
  const options = Array.from(select.options);
  options.forEach(option => { option.hidden = option.disabled = !(wanted === null || wanted.has(Number(option.value))); });
  const current = options[select.selectedIndex];
  if (!current || current.disabled) {
    const first = options.find(option => !option.disabled);
    select.value = first ? first.value : "";
  }
  all(".vocabulary").forEach(section => hide(section, section.dataset.o !== select.value));
  hide(by("words-none"), select.value !== "");
}
function chooseTimelines() {
  const select = by("timeline-outlet");
  if (!select) return;
  const most = Number(select.dataset.most);
  let shown = 0;
  all("#timeline figure").forEach((figure, at) => {
    const chosen = select.value === "all" || (select.value === "top" ? at < most || wanted !== null : figure.dataset.o === select.value);
    hide(figure, !(chosen && hit(figure)));
    shown += chosen && hit(figure);
  });
  by("timeline-status").textContent = shown + (shown === 1 ? " outlet" : " outlets") + " shown";
}
function chooseWithin() {
  const least = by("within-least");
  if (!least) return;
  all("[data-events]").forEach(row => hide(row, !(hit(row) && Number(row.dataset.events) >= Number(least.value || 0))));
}
function chooseEvents() {
  const search = by("event-search");
  if (!search) return;
  const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const outlet = by("event-outlet").value;
  const events = all("#event-list > details");
  let shown = 0;
  events.forEach(event => {
    if (event.folded === undefined) event.folded = event.textContent.toLowerCase();
    const fits = hit(event) && (outlet === "" || event.dataset.o.split(" ").includes(outlet)) && asked.every(word => event.folded.includes(word));
    hide(event, !fits);
    shown += fits;
  });
  by("event-status").textContent = shown + " of " + events.length + " events shown";
}
const shown = (value, sign) => value === null ? "–" : (sign && value >= 0 ? "+" : "") + value.toFixed(3).replace("-", "−");
const pValue = value => value === null ? "–" : value < 0.001 ? "<0.001" : value.toFixed(3);
const pairsBody = by("pairs-body");
const firstPairs = pairsBody ? Array.from(pairsBody.rows) : [];
function findPairs() {
  if (!pairsBody) return;
  if (wanted === null) {
    pairsBody.replaceChildren(...firstPairs);
    by("pairs-status").textContent = "";
    return;
  }
  const columns = {};
  data.tables[pairsBody.dataset.table].forEach(column => { columns[column.name] = column; });
  const rows = [];
  let found = 0;
  for (let at = 0; at < columns.outlet_a.values.length; at++) {
    if (!wanted.has(columns.outlet_a.values[at]) && !wanted.has(columns.outlet_b.values[at])) continue;
    if (++found > 200) continue;
    const value = name => read(columns[name], at);
    const row = document.createElement("tr");
    const put = (tag, text, kind) => { const made = row.appendChild(document.createElement(tag)); made.textContent = text; made.className = kind; return made; };
    put("th", value("outlet_a"), "t").scope = "row";
    put("td", value("outlet_b"), "t");
    put("td", shown(value("difference"), true) + (value("ci_low") === null ? "" : " [" + shown(value("ci_low"), true) + ", " + shown(value("ci_high"), true) + "]"), "n");
    put("td", pValue(value("p_value")), "n");
    put("td", pValue(value("p_adjusted")), "n");
    put("td", value("differs") ? "yes" : "no", "t");
    rows.push(row);
  }
  pairsBody.replaceChildren(...rows);
  by("pairs-status").textContent = found + (found === 1 ? " pair" : " pairs") + " with these outlets" + (found > 200 ? "; the first 200 are shown" : "");
}
function update() {
  const input = by("outlet-filter");
  const asked = input ? input.value.trim().toLowerCase() : "";
  wanted = asked === "" ? null : new Set(folded.flatMap((name, at) => name.includes(asked) ? [at] : []));
  plain.forEach(element => hide(element, !hit(element)));
  chooseWithin();
  packed.forEach(pack);
  chooseWords();
  chooseTimelines();
  chooseEvents();
  findPairs();
  if (input) by("filter-status").textContent = wanted === null ? "All " + data.n + " outlets" : Array.from(wanted).filter(at => at < data.n).length + " of " + data.n + " outlets";
}
all("input,select").forEach(control => control.addEventListener("input", update));
update();

// Sorting, by a button in each heading.
const key = (row, at) => {
  const text = row.cells[at].textContent.trim();
  const number = parseFloat(text.replace(/,(?=\d{3})/g, "").replace("−", "-").replace("<", ""));
  return Number.isNaN(number) ? text.toLowerCase() : number;
};
all("table.sortable").forEach(table => all("thead th", table).forEach((heading, at) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const up = heading.getAttribute("aria-sort") === "descending";
    all("thead th", table).forEach(other => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).filter(row => !row.classList.contains("all"));
    rows.sort((one, other) => {
      const a = key(one, at), b = key(other, at);
      const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
      return up ? order : -order;
    });
    body.append(...rows);
  });
}));
})();
