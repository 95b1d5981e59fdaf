{
  const tooltip = document.createElement("div");
  tooltip.id = "tooltip";
  tooltip.hidden = true;
  tooltip.setAttribute("aria-hidden", "true");
  document.body.append(tooltip);
  const show = (event) => {
    const mark = event.target.closest?.("svg [aria-label]");
    tooltip.hidden = !mark;
    if (!mark) return;
    tooltip.textContent = mark.getAttribute("aria-label");
    const box = mark.getBoundingClientRect();
    const left = box.left + box.width / 2 - tooltip.offsetWidth / 2;
    const above = box.top - tooltip.offsetHeight - 8;
    tooltip.style.left = `${Math.max(8, Math.min(left, innerWidth - tooltip.offsetWidth - 8))}px`;
    tooltip.style.top = `${above < 8 ? box.bottom + 8 : above}px`;
  };
  addEventListener("pointerover", show);
  addEventListener("pointerdown", show);
  addEventListener("scroll", () => (tooltip.hidden = true), { passive: true });
}
