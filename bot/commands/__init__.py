"""Every command, one file each; the order is that of /help and of the platforms' menus."""

from bot.commands.access import COMMAND as ACCESS
from bot.commands.allow import COMMAND as ALLOW
from bot.commands.budget import COMMAND as BUDGET
from bot.commands.compact import COMMAND as COMPACT
from bot.commands.compare import COMMAND as COMPARE
from bot.commands.context import COMMAND as CONTEXT
from bot.commands.cost import COMMAND as COST
from bot.commands.deny import COMMAND as DENY
from bot.commands.help import COMMAND as HELP
from bot.commands.model import COMMAND as MODEL
from bot.commands.models import COMMAND as MODELS
from bot.commands.new import COMMAND as NEW
from bot.commands.pair import COMMAND as PAIR
from bot.commands.retry import COMMAND as RETRY
from bot.commands.search_web import COMMAND as SEARCH_WEB
from bot.commands.settings import COMMAND as SETTINGS
from bot.commands.speak import COMMAND as SPEAK
from bot.commands.start import COMMAND as START
from bot.commands.stop import COMMAND as STOP
from bot.commands.system import COMMAND as SYSTEM
from bot.commands.title import COMMAND as TITLE
from bot.commands.tools import COMMAND as TOOLS
from bot.commands.why import COMMAND as WHY
from bot.core.command import Command

COMMANDS: tuple[Command, ...] = (
    HELP,
    START,
    MODEL,
    MODELS,
    NEW,
    CONTEXT,
    COMPACT,
    TITLE,
    SYSTEM,
    SETTINGS,
    TOOLS,
    COST,
    BUDGET,
    RETRY,
    SEARCH_WEB,
    SPEAK,
    WHY,
    COMPARE,
    STOP,
    PAIR,
    ALLOW,
    DENY,
    ACCESS,
)
