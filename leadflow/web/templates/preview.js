// Shows what was chosen without leaving the page, and shows it again when a file of the workspace is saved.
"use strict";
const form = document.getElementById("choices");
const part = (page, id) => page.getElementById(id);
let asked = 0;

function replaced(page) {
  const before = document.querySelector("#stage iframe"), fresh = part(page, "stage");
  const next = fresh.querySelector("iframe"), stage = part(document, "stage"), at = stage.scrollTop;
  if (before && next && before.parentNode.className === next.parentNode.className) {
    // The old mail stays in sight until the new one is there, and nothing jumps.
    const paper = before.parentNode;
    stage.querySelector("header").replaceWith(fresh.querySelector("header"));
    Object.assign(stage.dataset, fresh.dataset);
    paper.querySelectorAll("iframe.next").forEach((one) => one.remove());
    next.classList.add("next");
    next.addEventListener("load", () => { next.classList.remove("next"); before.remove(); }, { once: true });
    paper.append(next);
  } else {
    stage.replaceWith(fresh);
    fresh.scrollTop = at;
  }
}

async function show(url, keep) {
  const turn = ++asked, answer = await fetch(url), text = await answer.text();
  if (turn !== asked) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  if (!part(page, "stage")) throw new Error("no page");
  replaced(page);
  part(document, "notes").replaceWith(part(page, "notes"));
  document.title = page.title;
  const focused = document.activeElement, name = focused && focused.name, value = focused && focused.value;
  part(document, "options").replaceWith(part(page, "options"));
  const again = [...form.elements].filter((one) => one.name === name);
  const same = again.find((one) => one.value === value) || again[0];
  if (same) same.focus();
  if (keep) history.pushState(null, "", part(document, "stage").dataset.url);
}

const chosen = () => "/?" + new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
const missed = () => { part(document, "gone").hidden = false; };
form.addEventListener("change", (event) => { if (event.target.name !== "who") show(chosen(), true).catch(missed); });
form.addEventListener("submit", (event) => { event.preventDefault(); show(chosen(), true).catch(missed); });
addEventListener("popstate", () => show(location.href, false).catch(missed));

async function look() {
  if (!document.hidden) {
    try {
      const now = await (await fetch("/print")).text();
      part(document, "gone").hidden = true;
      const typing = document.activeElement && document.activeElement.name === "who" && document.activeElement.value;
      if (now !== part(document, "stage").dataset.print && !typing) await show(location.href, false);
    } catch { missed(); }
  }
  setTimeout(look, 250);
}
look();
