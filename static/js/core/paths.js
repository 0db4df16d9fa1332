/* Addresses of the app, which may live under a path prefix. */

const prefix = (document.querySelector("meta[name=prefix]")?.content ?? "/").replace(/\/$/, "");

/** A path of the app, such as "/searches/1/", with the prefix in front. Other addresses stay as they are. */
export function at(path) {
  const ours = path.startsWith("/") && !path.startsWith("//");
  return ours && prefix && !path.startsWith(`${prefix}/`) ? prefix + path : path;
}
