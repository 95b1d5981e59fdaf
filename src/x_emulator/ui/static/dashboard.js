// Refreshes the page and submits its forms in the background. The page also works without JavaScript.

const REFRESH_MS = 1000;
let isRefreshing = false;

/** Returns whether a person is typing in the element, or has opened a form in it. */
function isBusy(element) {
  const typing = element.contains(document.activeElement) && document.activeElement.matches("textarea, select");
  return typing || element.matches("details[open]") || element.querySelector("details[open]") !== null;
}

/** Replaces the element `old` with `fresh`, and keeps the focus if it is in the element. */
function replace(old, fresh) {
  if (old.isEqualNode(fresh) || isBusy(old)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

/** Updates the children of a list: removes, replaces and adds only those that differ. */
function updateList(old, fresh) {
  for (const child of [...old.children]) {
    if (!fresh.querySelector(`#${child.id}`) && !isBusy(child)) child.remove();
  }
  let after = null;
  for (const child of [...fresh.children]) {
    const existing = old.querySelector(`#${child.id}`);
    if (existing) replace(existing, child);
    else if (after) after.after(child);
    else old.prepend(child);
    after = old.querySelector(`#${child.id}`);
  }
}

function update(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old && part.hasAttribute("data-list")) updateList(old, part);
    else if (old) replace(old, part);
  }
  return fresh;
}

async function refresh() {
  if (isRefreshing || document.hidden) return;
  isRefreshing = true;
  try {
    update(await (await fetch(location.href)).text());
    document.getElementById("offline").hidden = true;
  } catch {
    document.getElementById("offline").hidden = false;
  } finally {
    isRefreshing = false;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  // `form.action` is not the URL here: the form has buttons named `action`, which take precedence.
  const response = await fetch(form.getAttribute("action"), { method: "POST", body });
  if (response.ok) {
    form.reset();
    form.closest("details")?.removeAttribute("open");
  }
  const fresh = update(await response.text());
  document.getElementById("notice").replaceWith(fresh.getElementById("notice"));
});

document.getElementById("as").addEventListener("change", (event) => event.target.form.requestSubmit());
document.documentElement.classList.add("scripted");
setInterval(refresh, REFRESH_MS);
