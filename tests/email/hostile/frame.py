"""The smallest frame there is."""

from leadflow.playbook.model import Base

BASE = Base(layout="<mjml><mj-body><mj-raw>{{ content }}</mj-raw></mj-body></mjml>", text="{{ content }}\n", strings={})
