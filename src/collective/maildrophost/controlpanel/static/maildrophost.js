/* The pages work without this. It follows a test mail, keeps the health at the top of
   the page fresh, and selects a page of messages. */
(function () {
  "use strict";

  const FOLLOW_MILLISECONDS = 700;
  const FOLLOW_SLOWER = 1.1;
  const HEALTH_MILLISECONDS = 10000;

  const pause = (milliseconds) =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));

  async function refresh(box, url) {
    // What nobody looks at costs the server nothing.
    if (document.visibilityState !== "visible") return;
    // The server may be restarting, in the midst of an answer even, or the session may
    // be over: what is shown stays.
    const text = await ask(url).catch(() => null);
    // A screen reader reads what changes: the same text again is no news.
    if (text !== null && text !== box.maildropShown) {
      box.innerHTML = text;
      box.maildropShown = text;
    }
  }

  async function ask(url) {
    const options = { credentials: "same-origin", cache: "no-store" };
    const answer = await fetch(url, options);
    return answer.ok && !answer.redirected ? answer.text() : null;
  }

  async function follow(box, health) {
    let milliseconds = FOLLOW_MILLISECONDS;
    while (!box.querySelector('[data-maildrop-final="yes"]')) {
      await pause(milliseconds);
      await refresh(box, box.dataset.maildropFollow);
      // A mail that the relay defers is on its way for minutes, or for hours.
      milliseconds = Math.min(milliseconds * FOLLOW_SLOWER, HEALTH_MILLISECONDS);
    }
    await refresh(health, health.dataset.maildropHealth);
  }

  async function keepFresh(health) {
    for (;;) {
      await pause(HEALTH_MILLISECONDS);
      await refresh(health, health.dataset.maildropHealth);
    }
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
    const health = document.querySelector("[data-maildrop-health]");
    const followed = document.querySelector("[data-maildrop-follow]");
    const head = document.getElementById("maildrop-select-page");
    if (health) keepFresh(health);
    if (followed && health) follow(followed, health);
    if (head) selectPage(head);
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
