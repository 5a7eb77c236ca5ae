import { renderErrors } from './errors-doc.ts';
import { writeDoc } from './generated-doc.ts';
import { renderLimits } from './limits-doc.ts';
import { renderRequirements } from './requirements-doc.ts';

// Usage: npm run docs, after a fault, a bound or a test's title changed.

writeDoc('ERRORS.md', await renderErrors());
writeDoc('LIMITS.md', await renderLimits());
writeDoc('REQUIREMENTS.md', await renderRequirements());
