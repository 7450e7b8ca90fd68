// Runs a script as actions/github-script does, against a pull request that lives in memory: {script, payload, comments} on standard
// input; on standard output the comments afterwards, and what was noted.
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'

const { script, payload, comments } = JSON.parse(await text(process.stdin))
const notes = []
const issues = {
  listComments: async () => ({ data: comments }),
  createComment: async ({ body }) => comments.push({ id: comments.length + 1, body }),
  updateComment: async ({ comment_id: id, body }) => Object.assign(comments.find(each => each.id === id), { body }),
}
const github = { rest: { issues }, paginate: async (method, options) => (await method(options)).data }
const context = { repo: { owner: 'someone', repo: 'api' }, payload }
const core = { notice: words => notes.push(words) }
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
await new AsyncFunction('github', 'context', 'core', 'require', script)(github, context, core, createRequire(import.meta.url))
process.stdout.write(JSON.stringify({ comments, notes }))
