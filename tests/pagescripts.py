"""What the browser tests run inside a page."""

OURS = {"include": [["#content"]]}
"""What axe looks at of a page."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}
"""What axe looks for."""
RENAME_DIRECTORY = """([from, to]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.data.includes(from)) text.data = text.data.replaceAll(from, to);
  }
}"""
HURRY = """
window.maildropPauses = [];
const later = window.setTimeout;
window.setTimeout = (act, milliseconds, ...more) => {
  if (new Error().stack.includes("maildrophost.js")) {
    window.maildropPauses.push(milliseconds);
  }
  return later(act, milliseconds / 50, ...more);
};
"""
"""Keeps the pauses that our script makes, and makes all shorter."""
DARK = """async () => {
  document.documentElement.dataset.bsTheme = "dark";
  await Promise.allSettled(document.getAnimations().map((each) => each.finished));
}"""
"""Ends when no colour changes any more."""
WIDTH = "document.documentElement.scrollWidth"
"""Of everything on the page, what is beside the screen included."""
