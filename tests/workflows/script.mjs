// Runs a script as actions/github-script does, against a pull request that lives in memory: {script, payload, comments,
// environments} on standard input; on standard output the comments afterwards, what was noted, and the failures that were set.
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'

const { script, payload, comments, environments } = JSON.parse(await text(process.stdin))
const notes = []
const issues = {
  listComments: async () => ({ data: comments }),
  createComment: async ({ body }) => comments.push({ id: comments.length + 1, body }),
  updateComment: async ({ comment_id: id, body }) => Object.assign(comments.find(each => each.id === id), { body }),
}
const repos = {
  getEnvironment: async ({ environment_name: name }) => {
    if (!(name in environments)) throw Object.assign(new Error('Not Found'), { status: 404 })
    return { data: { name, protection_rules: environments[name].map(type => ({ type })) } }
  },
}
const github = { rest: { issues, repos }, paginate: async (method, options) => (await method(options)).data }
const context = { repo: { owner: 'someone', repo: 'api' }, payload }
const failures = []
const core = {
  notice: words => notes.push(words),
  warning: words => notes.push(words),
  setFailed: words => failures.push(words),
}
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
await new AsyncFunction('github', 'context', 'core', 'require', script)(github, context, core, createRequire(import.meta.url))
process.stdout.write(JSON.stringify({ comments, notes, failures }))
