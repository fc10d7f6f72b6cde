// What a page does, as a command to be pasted into a shell.

const isWindows = /Windows/.test(navigator.userAgent);

// Each word stays one word, and nothing in it is expanded; as of tinyml_cli/next_step.py.
export const commandLine = (...words) => words.map(quoted).join(" ");

// A folder of the studio, which is never taken for an option.
export const pathOf = (name) => (name.startsWith("-") ? `./${name}` : name);

function quoted(each) {
  const word = String(each);
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return isWindows ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", `'"'"'`)}'`;
}
