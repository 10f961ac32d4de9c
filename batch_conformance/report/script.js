// Optional: adds copy buttons, and marks the active filter with aria-current.
"use strict";
for (const block of document.querySelectorAll(".curl")) {
  const code = block.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the command");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  block.append(button);
}
const filters = [...document.querySelectorAll(".filters a")];
const tell = () => {
  const on = filters.find((link) => link.hash === location.hash) ?? filters[0];
  for (const link of filters) {
    if (link === on) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};
addEventListener("hashchange", tell);
tell();
