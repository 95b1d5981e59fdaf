{
  const told = document.createElement("div");
  told.id = "told";
  told.hidden = true;
  told.setAttribute("aria-hidden", "true");
  document.body.append(told);
  const show = (event) => {
    const mark = event.target.closest?.("svg [aria-label]");
    told.hidden = !mark;
    if (!mark) return;
    told.textContent = mark.getAttribute("aria-label");
    const at = mark.getBoundingClientRect();
    const left = at.left + at.width / 2 - told.offsetWidth / 2;
    const above = at.top - told.offsetHeight - 8;
    told.style.left = `${Math.max(8, Math.min(left, innerWidth - told.offsetWidth - 8))}px`;
    told.style.top = `${above < 8 ? at.bottom + 8 : above}px`;
  };
  addEventListener("pointerover", show);
  addEventListener("pointerdown", show);
  addEventListener("scroll", () => (told.hidden = true), { passive: true });
}
