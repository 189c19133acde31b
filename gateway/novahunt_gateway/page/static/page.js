// Renews the live part of a page with the very text that the server would show, and keeps the reader's place.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const said = document.getElementById("said");
  const every = 3000;
  let tag = null;
  let before = words();

  function words() {
    return new Map([...live.querySelectorAll("[data-say]")].map((one, at) => [at, one.dataset.say]));
  }

  function busy() {
    // What is being typed, opened or marked must not go away under somebody's hands.
    const at = document.activeElement;
    const typing = live.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
    return typing || live.querySelector(".sure[open]") || !getSelection().isCollapsed;
  }

  function show(text) {
    const at = live.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
    const places = [...live.querySelectorAll(".wide")].map((one) => one.scrollLeft);
    const fresh = new DOMParser().parseFromString(text, "text/html");
    // What somebody has chosen or typed there stays.
    const filter = live.querySelector("#filter");
    if (filter) fresh.getElementById("filter")?.replaceWith(filter);
    live.replaceChildren(...fresh.body.childNodes);
    open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
    live.querySelectorAll(".wide").forEach((one, index) => { one.scrollLeft = places[index] ?? 0; });
    if (at) document.getElementById(at)?.focus({ preventScroll: true });
    const now = words();
    const news = [...now].filter(([key, value]) => before.get(key) !== value).map(([, value]) => value);
    before = now;
    if (news.length) said.textContent = news.slice(0, 3).join(". ");
  }

  async function renew() {
    try {
      if (!document.hidden && !busy()) {
        const headers = tag ? { "If-None-Match": tag } : {};
        const answer = await fetch(live.dataset.from, { headers, cache: "no-store", redirect: "manual" });
        // The session has ended, or the collection is gone: the page itself will say so.
        if (answer.type === "opaqueredirect" || answer.status === 404) return location.reload();
        if (answer.status === 200) {
          tag = answer.headers.get("ETag");
          const text = await answer.text();
          if (!busy()) show(text); else tag = null;
        }
      }
    } catch {
      // The gateway is away for a moment; the next look will tell.
    }
    setTimeout(renew, every);
  }
  setTimeout(renew, every);
})();
