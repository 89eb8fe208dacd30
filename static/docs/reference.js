// Swagger UI has a dark side, which it shows to a class and not to what the reader's device prefers.
const dark = matchMedia("(prefers-color-scheme: dark)");

const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);

follow();
dark.addEventListener("change", follow);
