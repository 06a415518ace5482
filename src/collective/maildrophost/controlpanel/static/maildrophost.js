/* The pages work without this. It follows a test mail, keeps the health at the top of
   the page and the overview's figures fresh, and selects a page of messages. */
(function () {
  "use strict";

  const FOLLOW_MILLISECONDS = 700;
  const FOLLOW_SLOWER = 1.1;
  const FRESH_MILLISECONDS = 10000;

  let lastRenewed = new Date();

  const pause = (milliseconds) =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));

  async function refresh(box, url) {
    // What nobody looks at costs the server nothing.
    if (document.visibilityState !== "visible") return;
    // The server may be restarting, in the midst of an answer even, or the session may
    // be over: what is shown stays.
    const text = await ask(url).catch(() => null);
    tellItsAge(text !== null);
    // A screen reader reads what changes: the same text again is no news.
    if (text !== null && text !== box.maildropShown) {
      replace(box, text);
      box.maildropShown = text;
    }
  }

  // What is shown is old once it could not be renewed.
  function tellItsAge(renewed) {
    const words = document.getElementById("maildrop-not-renewed");
    if (renewed) {
      lastRenewed = new Date();
    } else {
      const style = { hour: "2-digit", minute: "2-digit" };
      const language = document.documentElement.lang || undefined;
      const time = words.querySelector("time");
      time.textContent = lastRenewed.toLocaleTimeString(language, style);
      time.dateTime = lastRenewed.toISOString();
    }
    words.hidden = renewed;
  }

  // Who has come here with the keyboard, or opened the table, goes on from there.
  function replace(box, text) {
    const focused = document.activeElement;
    const place = stops(box).indexOf(focused);
    const opened = box.querySelector("details")?.open;
    box.innerHTML = text;
    if (opened) box.querySelector("details")?.setAttribute("open", "");
    const next = stops(box)[place];
    // Not on to what does the opposite: somebody else may have held that lane.
    if (next && next.value === focused.value) next.focus({ preventScroll: true });
  }

  function stops(box) {
    return Array.from(box.querySelectorAll("a[href], button, summary"));
  }

  async function ask(url) {
    const options = { credentials: "same-origin", cache: "no-store" };
    const answer = await fetch(url, options);
    return answer.ok && !answer.redirected ? answer.text() : null;
  }

  async function follow(box, fresh) {
    let milliseconds = FOLLOW_MILLISECONDS;
    while (!box.querySelector('[data-maildrop-final="yes"]')) {
      await pause(milliseconds);
      await refresh(box, box.dataset.maildropFollow);
      // A mail that the relay defers is on its way for minutes, or for hours.
      milliseconds = Math.min(milliseconds * FOLLOW_SLOWER, FRESH_MILLISECONDS);
    }
    await refreshAll(fresh);
  }

  async function keepFresh(fresh) {
    for (;;) {
      await pause(FRESH_MILLISECONDS);
      await refreshAll(fresh);
    }
  }

  async function refreshAll(fresh) {
    for (const box of fresh) await refresh(box, box.dataset.maildropFresh);
  }

  function selectPage(head) {
    const boxes = Array.from(document.querySelectorAll('[name="ids:list"]'));
    const update = () => {
      const count = boxes.filter((box) => box.checked).length;
      head.checked = count === boxes.length;
      head.indeterminate = count > 0 && count < boxes.length;
    };
    head.hidden = false;
    head.addEventListener("change", () => {
      boxes.forEach((box) => {
        box.checked = head.checked;
      });
    });
    boxes.forEach((box) => box.addEventListener("change", update));
    update();
  }

  function start() {
    const fresh = document.querySelectorAll("[data-maildrop-fresh]");
    const followed = document.querySelector("[data-maildrop-follow]");
    const head = document.getElementById("maildrop-select-page");
    keepFresh(fresh);
    if (followed) follow(followed, fresh);
    if (head) selectPage(head);
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
