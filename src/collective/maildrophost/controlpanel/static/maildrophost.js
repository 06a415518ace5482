/* The pages work without this. It follows a test mail, keeps the health at the top of
   the page and the overview's figures fresh, and selects a page of messages. */
(function () {
  "use strict";

  const FOLLOW_MILLISECONDS = 700;
  const FOLLOW_SLOWER = 1.1;
  const FRESH_MILLISECONDS = 10000;
  const ANSWER_MILLISECONDS = 60000;

  const opened = Date.now();
  const notRenewed = new Set();

  const pause = (milliseconds) =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));

  async function refresh(box, url) {
    // A page that nobody looks at costs the server nothing.
    if (document.visibilityState !== "visible") return;
    // The server may be restarting, even in the middle of an answer, or the session may
    // be over: what is shown stays.
    const text = await ask(url).catch(() => null);
    if (text === null) notRenewed.add(box);
    else notRenewed.delete(box);
    if (text !== null) box.maildropRenewed = Date.now();
    tellTheAge();
    // A screen reader reads what changes: the same text again is not news.
    if (text !== null && text !== box.maildropShown) {
      replace(box, text);
      box.maildropShown = text;
    }
  }

  // What could not be renewed is old: the page says from when.
  function tellTheAge() {
    const words = document.getElementById("maildrop-not-renewed");
    words.hidden = notRenewed.size === 0;
    if (words.hidden) return;
    const renewed = Array.from(notRenewed, (box) => box.maildropRenewed ?? opened);
    const since = new Date(Math.min(...renewed));
    const time = words.querySelector("time");
    if (time.dateTime === since.toISOString()) return;
    const style = { hour: "2-digit", minute: "2-digit" };
    if (since.toDateString() !== new Date().toDateString()) {
      Object.assign(style, { day: "numeric", month: "short" });
    }
    const language = document.documentElement.lang || undefined;
    time.textContent = since.toLocaleString(language, style);
    time.dateTime = since.toISOString();
  }

  // Keeps the focus of whoever came here by keyboard, and the table that they opened.
  function replace(box, text) {
    const focused = document.activeElement;
    const place = tabStops(box).indexOf(focused);
    const opened = box.querySelector("details")?.open;
    box.innerHTML = text;
    if (opened) box.querySelector("details")?.setAttribute("open", "");
    const next = tabStops(box)[place];
    // Not to a button that does the opposite now: somebody else may have held the lane.
    if (next && next.value === focused.value) next.focus({ preventScroll: true });
  }

  function tabStops(box) {
    return Array.from(box.querySelectorAll("a[href], button, summary"));
  }

  async function ask(url) {
    const signal = AbortSignal.timeout(ANSWER_MILLISECONDS);
    const options = { credentials: "same-origin", cache: "no-store", signal };
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
