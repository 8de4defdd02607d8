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
  const safe = /^'*(?:[\s\u0000-\u001f\ufeff]*[=+\-@\uff0b\uff0d\uff1d\uff20]|[\t\r\n])/.test(value) ? "'" + value : value;
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
function sentenceRows() {
  const rows = [["outlet", "article_id", "sentence_id", "title", "date", "p_own", "text", "words"]];
  sentencesWanted().forEach(row => rows.push([data.names[row.o], row.id[0], row.id[1], row.title, row.date, row.p, row.text, row.words.map(word => row.text.slice(word[0], word[1])).join("; ")]));
  return rows;
}
all("button[data-csv]").forEach(button => button.addEventListener("click", () => {
  const name = button.dataset.csv;
  const rows = name === "events" ? eventRows() : name === "sentences" ? sentenceRows() : tableRows(name);
  save("\ufeff" + rows.map(row => row.map(cell).join(",")).join("\r\n") + "\r\n", name + ".csv", "text/csv");
}));
function save(text, file, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: type + ";charset=utf-8"}));
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

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
// Sentences: those that fit every filter, a few at a time. Offsets count characters as Python does.
const AT_ONCE = 40;
let drawn = AT_ONCE;
data.sentences.forEach(row => {
  if (/[\ud800-\udbff]/.test(row.text)) {
    const letters = Array.from(row.text);
    row.words = row.words.map(word => [letters.slice(0, word[0]).join("").length, letters.slice(0, word[1]).join("").length, word[2]]);
  }
  row.folded = (row.text + " " + row.title).toLowerCase();
});
function sentencesWanted() {
  const asked = by("sentence-search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const outlet = by("sentence-outlet").value, kind = by("sentence-kind").value;
  const from = by("sentence-from").value, until = by("sentence-until").value;
  const rows = data.sentences.filter(row => (wanted === null || wanted.has(row.o)) && (outlet === "" || row.o === Number(outlet)) &&
    (kind === "" || row.words.some(word => word[2] === kind)) && (from === "" || (row.date !== "" && row.date >= from)) &&
    (until === "" || (row.date !== "" && row.date <= until)) && asked.every(word => row.folded.includes(word)));
  return by("sentence-order").value === "date" ? rows.sort((a, b) => a.date < b.date ? 1 : a.date > b.date ? -1 : 0) : rows;
}
function chooseSentences() {
  if (!by("sentence-search")) return;
  const rows = sentencesWanted();
  by("sentence-list").replaceChildren(...rows.slice(0, drawn).map(row => {
    const item = document.createElement("li");
    let done = 0;
    row.words.forEach(word => {
      item.append(row.text.slice(done, word[0]));
      const mark = item.appendChild(document.createElement("mark"));
      mark.textContent = row.text.slice(word[0], word[1]);
      mark.title = data.kinds[word[2]] || "";
      done = word[1];
    });
    item.append(row.text.slice(done) + " ");
    const figures = item.appendChild(document.createElement("span"));
    figures.className = "figures";
    figures.textContent = [row.p.toFixed(2), data.names[row.o], row.title, row.date].filter(Boolean).join(" · ");
    return item;
  }));
  hide(by("sentence-more"), rows.length <= drawn);
  by("sentence-status").textContent = rows.length + (rows.length === 1 ? " sentence" : " sentences");
}
if (by("sentence-more")) by("sentence-more").addEventListener("click", () => { drawn += AT_ONCE; chooseSentences(); });
// What leads to them: an outlet, a device of an outlet, a period of one.
function showSentences(of) {
  const [outlet, kind, from, until] = of.split(" ");
  by("sentence-search").value = "";
  by("sentence-outlet").value = outlet;
  by("sentence-kind").value = kind && kind !== "-" ? kind : "";
  by("sentence-from").value = from || "";
  by("sentence-until").value = until || "";
  drawn = AT_ONCE;
  update();
  location.hash = "sentences";
}
if (by("sentence-search")) all("[data-show]").forEach(element => {
  if (element.namespaceURI !== "http://www.w3.org/1999/xhtml") {
    element.addEventListener("click", () => showSentences(element.dataset.show));
    return;
  }
  // A cell's figure becomes a button; of a row, the share.
  const cell = element.cells ? element.cells[3] : element;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "figure";
  button.append(...cell.childNodes);
  cell.append(button);
  button.addEventListener("click", () => showSentences(element.dataset.show));
});

// A chart with its axis as a picture of its own, styles written into it.
const STYLED = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "font-family", "font-size"];
function picture(svg) {
  const axis = svg.parentNode.querySelector("svg.axis"), box = svg.viewBox.baseVal, above = axis ? axis.viewBox.baseVal.height : 0;
  const whole = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  whole.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  whole.setAttribute("viewBox", "0 0 " + box.width + " " + (box.height + above));
  const ground = whole.appendChild(document.createElementNS(whole.namespaceURI, "rect"));
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  [[axis, 0], [svg, above]].forEach(([part, down]) => {
    if (!part) return;
    const group = whole.appendChild(document.createElementNS(whole.namespaceURI, "g"));
    group.setAttribute("transform", "translate(0," + down + ")");
    Array.from(part.children).forEach(child => {
      const copy = child.cloneNode(true);
      const from = [child].concat(all("*", child)), to = [copy].concat(all("*", copy));
      from.forEach((element, at) => {
        const style = getComputedStyle(element);
        STYLED.forEach(name => { if (style.getPropertyValue(name)) to[at].setAttribute(name, style.getPropertyValue(name)); });
      });
      all("[hidden]", copy).forEach(hidden => hidden.remove());
      if (!copy.hasAttribute("hidden")) group.append(copy);
    });
  });
  return new XMLSerializer().serializeToString(whole);
}
all("svg.chart").forEach((svg, at) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "picture";
  button.dataset.picture = svg.getAttribute("class").split(" ").pop();
  button.textContent = "SVG";
  button.setAttribute("aria-label", "Download as SVG: " + (svg.closest("figure") ? svg.closest("figure").textContent.trim().split("\n")[0] : svg.getAttribute("aria-label").split(";")[0]));
  button.addEventListener("click", () => save(picture(svg), button.dataset.picture + "-" + (at + 1) + ".svg", "image/svg+xml"));
  (svg.closest("figure") || svg.closest(".scroll")).after(button);
  if (svg.closest("figure")) svg.closest("figure").append(button);
});

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
  chooseSentences();
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
