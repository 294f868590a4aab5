"use strict";
(() => {
  const form = document.querySelector("form.filter");
  const cases = [...document.querySelectorAll(".case, [data-case]")];
  const verdict = form.elements.verdict, rfc = form.elements.rfc, search = form.elements.q;
  const texts = new Map(cases.map((one) => [one, one.textContent.toLowerCase()]));

  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const one of cases) {
      const verdicts = one.dataset.verdict.split(" ");
      const fits = (!verdict.value || verdicts.includes(verdict.value))
        && (!rfc.value || one.dataset.rfc === rfc.value)
        && words.every((word) => texts.get(one).includes(word));
      one.hidden = !fits;
      shown += fits;
    }
    for (const part of document.querySelectorAll("[data-part]")) {
      part.hidden = !part.querySelector(".case:not([hidden]), [data-case]:not([hidden])");
    }
    for (const link of document.querySelectorAll(".counts a")) {
      const own = new URLSearchParams(link.hash.slice(1)).get("verdict") || "";
      if (own === verdict.value) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    form.querySelector("output").textContent = `${shown} of ${cases.length} cases shown`;
  };

  const remember = () => {
    const chosen = new URLSearchParams();
    for (const field of [verdict, rfc, search]) if (field.value) chosen.set(field.name, field.value);
    history.replaceState(null, "", `#${chosen}`);
    apply();
  };

  const recall = () => {
    const hash = location.hash.slice(1);
    const target = hash && document.getElementById(decodeURIComponent(hash));
    const chosen = new URLSearchParams(target && !hash.includes("=") ? "" : hash);
    const set = (field) => {
      field.value = chosen.get(field.name) || "";
      if (field.value === "" && field.options) field.selectedIndex = 0;
    };
    [verdict, rfc, search].forEach(set);
    apply();
    if (target && target.matches("details") && !hash.includes("=")) {
      target.open = true;
      target.scrollIntoView();
    }
  };

  form.hidden = false;
  // Without a script these are where the counts lead to.
  document.querySelectorAll('[id^="verdict="]').forEach((anchor) => anchor.remove());
  form.addEventListener("input", remember);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(remember));
  form.elements.open?.addEventListener("click", () => {
    const shown = cases.filter((one) => !one.hidden && one.matches("details"));
    const all = shown.every((one) => one.open);
    shown.forEach((one) => { one.open = !all; });
  });
  addEventListener("hashchange", recall);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.matches("input, select, textarea")) {
      event.preventDefault();
      search.focus();
    }
  });
  recall();
})();
