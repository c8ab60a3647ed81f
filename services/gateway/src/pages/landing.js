"use strict";
const entries = document.querySelectorAll("[data-service]");
const show = (entry, state) => {
  if (entry.dataset.state === state) return;
  entry.dataset.state = state;
  entry.querySelector(".state").textContent = state;
};
const ask = async () => {
  if (document.hidden) return;
  let services = {};
  try {
    const answer = await fetch("/status", { cache: "no-store", headers: { accept: "application/json" } });
    if (answer.ok) services = (await answer.json()).services;
  } catch {
    // The gateway itself is away: nothing is known.
  }
  for (const entry of entries) show(entry, services[entry.dataset.service] ?? "unknown");
};
ask();
setInterval(ask, 5000);
document.addEventListener("visibilitychange", ask);
