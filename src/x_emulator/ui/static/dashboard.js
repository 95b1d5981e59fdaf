// Keeps the page fresh and sends its forms without leaving it. All of it works without this too.

const EVERY_MS = 1000;
let asking = false;

/** Whether a person is in the middle of something there: typing, or with a form open. */
function isBusy(element) {
  const typing = element.contains(document.activeElement) && document.activeElement.matches("textarea, select");
  return typing || element.matches("details[open]") || element.querySelector("details[open]") !== null;
}

/** Puts `fresh` in the place of `old`, and the focus where it was. */
function replace(old, fresh) {
  if (old.isEqualNode(fresh) || isBusy(old)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

/** Makes the children of a list those of the fresh one, and leaves alone what is the same. */
function renewList(old, fresh) {
  for (const child of [...old.children]) {
    if (!fresh.querySelector(`#${child.id}`) && !isBusy(child)) child.remove();
  }
  let after = null;
  for (const wanted of [...fresh.children]) {
    const there = old.querySelector(`#${wanted.id}`);
    if (there) replace(there, wanted);
    else if (after) after.after(wanted);
    else old.prepend(wanted);
    after = old.querySelector(`#${wanted.id}`);
  }
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old && part.hasAttribute("data-list")) renewList(old, part);
    else if (old) replace(old, part);
  }
  return fresh;
}

async function refresh() {
  if (asking || document.hidden) return;
  asking = true;
  try {
    show(await (await fetch(location.href)).text());
    document.getElementById("offline").hidden = true;
  } catch {
    document.getElementById("offline").hidden = false;
  } finally {
    asking = false;
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const answer = await fetch(form.action, { method: "POST", body });
  if (answer.ok) {
    form.reset();
    form.closest("details")?.removeAttribute("open");
  }
  const fresh = show(await answer.text());
  document.getElementById("notice").replaceWith(fresh.getElementById("notice"));
});

document.getElementById("as").addEventListener("change", (event) => event.target.form.requestSubmit());
document.documentElement.classList.add("lively");
setInterval(refresh, EVERY_MS);
