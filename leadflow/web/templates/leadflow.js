(() => {
  const w = window, d = document, nav = navigator, store = "leadflow", base = new URL(d.currentScript.src).origin;
  // Whoever says no once and for all is not asked: nothing is kept, nothing is sent.
  const off = [nav.doNotTrack, w.doNotTrack].includes("1") || nav.globalPrivacyControl;
  const page = new URL(location), asked = page.searchParams, source = {}, click = asked.get("lf"), early = w.leadflow?.q;
  let visitor = null, arrived = false, waiting = [];

  // The word of a click goes out of the address before anybody copies it.
  if (click) {
    asked.delete("lf");
    history.replaceState(history.state, "", page);
  }
  for (const name of ["utm_source", "utm_medium", "utm_campaign", "gclid", "msclkid", "li_fat_id", "fbclid"])
    if (asked.has(name)) source[name] = asked.get(name).slice(0, 100);
  if (d.referrer) {
    const from = new URL(d.referrer);
    source.referrer = from.protocol + "//" + from.host;
  }

  const keep = (act) => {
    try {
      return act(localStorage);
    } catch {} // A browser may keep nothing.
  };
  const send = (event, details = {}) => {
    const act = { event, path: location.pathname.slice(0, 500), ...details };
    if (off) return;
    if (click) act.click = click;
    if (event == "page_viewed" && !arrived) arrived = act.source_of = source;
    if (!visitor) return waiting.length < 20 && waiting.push(act);
    const body = JSON.stringify({ visitor, ...act });
    nav.sendBeacon(base + "/t", body) || fetch(base + "/t", { method: "POST", body, keepalive: true, credentials: "omit" });
  };
  const know = (id) => {
    visitor = w.leadflow.visitor = id;
    for (const act of waiting.splice(0)) send(act.event, act);
  };
  const does = {
    event: send,
    view: () => send("page_viewed"),
    consent: (given) => {
      if (off || !given) {
        keep((kept) => kept.removeItem(store));
        visitor = w.leadflow.visitor = null;
      } else if (!visitor) {
        const id = [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
        keep((kept) => kept.setItem(store, id));
        know(id);
      }
    },
  };
  w.leadflow = (what, ...more) => does[what]?.(...more);

  // A form of ours in this page says where its visitor came from, and who it is to us once there is consent.
  d.addEventListener("submit", ({ target: form }) => {
    if (!form.action?.startsWith?.(base + "/forms/")) return;
    for (const [name, value] of Object.entries({ visitor, ...source })) {
      if (!value || form.elements[name]?.value) continue;
      const field = form.elements[name] || form.appendChild(d.createElement("input"));
      Object.assign(field, { type: "hidden", name, value });
    }
  }, true);

  const id = keep((kept) => (off ? kept.removeItem(store) : kept.getItem(store)));
  if (id) know(id);
  send("page_viewed");
  for (const call of early || []) w.leadflow(...call);
})();
