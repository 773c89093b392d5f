// Elements. Text only ever goes in as text: what an event says is never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  fill(made, attributes, children);
  return made;
}

export function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  fill(made, attributes, children);
  return made;
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
}

// Makes a parent's children these. What stays what it was keeps its place, and with it focus, selection and a screen
// reader's; elements about a KPI are known by it, others by their position.
export function show(parent, ...children) {
  settle(parent, [...element("div", {}, ...children).childNodes]);
}

function settle(parent, fresh) {
  const known = new Map([...parent.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let at = parent.firstChild;
  for (const wanted of fresh) {
    const old = known.get(keyOf(wanted)) ?? at;
    known.delete(keyOf(wanted)); // two alerts may be about one KPI
    if (!old || old.nodeName !== wanted.nodeName || keyOf(old) !== keyOf(wanted)) {
      parent.insertBefore(wanted, at);
      continue;
    }
    if (old === at) at = at.nextSibling;
    else parent.insertBefore(old, at);
    become(old, wanted);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function keyOf(node) {
  return node.dataset?.kpi;
}

function become(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  settle(old, [...wanted.childNodes]);
}
