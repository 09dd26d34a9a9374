"""Alerts by SMTP, with TLS verified, a timeout, and no password sent in the clear."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage

from pipeline.config.settings import Mail
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.render.mail import compose

ABOUT_LOGIN = (530, 534, 535, 538)  # RFC 4954: mended in the settings, not in the message


class EmailChannel:
    """Sends each alert to the configured addresses."""

    name = "email"

    def __init__(
        self,
        mail: Mail,
        password: SecretStr | None,
        *,
        zone: str,
        context: ssl.SSLContext | None = None,
        routes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`context` replaces the default TLS settings, for a server with its own authority; `routes` have addresses."""
        self._mail, self._password, self._zone = mail, password, zone
        self._routes = routes or {}
        self._context = context

    def send(self, alert: Alert) -> None:
        """Send one alert to who has yet to have it and is still configured; where that is nobody, nothing is to do.

        Raises ChannelError: permanent where nobody is left to ask.
        """
        to = recipients(alert.route, self._routes, self._mail.to)
        asked = tuple(a for a in alert.pending_recipients or to if a in to and a not in alert.refused_recipients)
        if alert.pending_recipients and not asked:
            return
        message = compose(alert, sender=self._mail.sender, to=to, zone=self._zone)
        try:
            self.deliver(message, asked)
        except ChannelError as error:
            raise _with_recipients(error, alert, asked) from error

    def deliver(self, message: EmailMessage, to: Sequence[str]) -> str:
        """Send a finished message and return the server's answer. Raises ChannelError."""
        mail = self._mail
        if not to:
            raise ChannelError(
                f"{self._where}: nobody to send to: mail.to and the route's `to` are empty", permanent=True
            )
        nobody_has_it = False
        greeted = False  # what goes wrong before is the server's or the setting's fault, and another try may help
        self._check_settings()
        try:
            server = self._sign_in()
            greeted = True
            try:
                refused = server.send_message(message, from_addr=mail.sender, to_addrs=list(to))
            except BaseException:
                server.close()
                raise
            _leave(server)
        except smtplib.SMTPRecipientsRefused as error:
            refused, nobody_has_it = error.recipients, True  # also where it hung up before it was asked for all
        except (smtplib.SMTPException, OSError) as error:
            raise _in_words(error, self._where, greeted=greeted) from error
        except ValueError as error:
            raise _in_words(error, self._where, greeted=greeted) from None
        if refused:
            gone = [address for address, (code, _) in refused.items() if code >= 500]
            pending = [address for address in (to if nobody_has_it else refused) if address not in gone]
            delivered = not nobody_has_it and len(refused) < len(to)
            words = ", ".join(f"{address} ({code})" for address, (code, _) in sorted(refused.items()))
            raise ChannelError(
                f"{self._where}: refused {words}{'; the others have it' if delivered else ''}",
                permanent=not pending,
                pending_recipients=pending,
                refused_recipients=gone,
                delivered=delivered,
            )
        return f"{self._where} accepted the message for {', '.join(to)}"

    def probe(self) -> str:
        """Connect, begin TLS and log in as `send` does, send nothing; return what was tried. Raises ChannelError."""
        self._check_settings()
        try:
            _leave(self._sign_in())
        except (smtplib.SMTPException, OSError) as error:
            raise _in_words(error, self._where, greeted=False) from error
        except ValueError as error:
            raise _in_words(error, self._where, greeted=False) from None
        tls = {"none": "without TLS", "starttls": "STARTTLS", "tls": "TLS"}[self._mail.security]
        login = f", login as {self._mail.user} accepted" if self._mail.user else ", no login"
        return f"{self._where} answers, {tls}{login}"

    @property
    def _where(self) -> str:
        return f"{self._mail.host}:{self._mail.port}"

    def _check_settings(self) -> None:
        """Raise ChannelError where the settings alone show that no login is possible."""
        if self._password is not None and self._mail.user and self._mail.security == "none":
            raise ChannelError(f"{self._where}: a password is set but mail.security is none; set starttls or tls")
        if self._password is None and self._mail.user:
            raise ChannelError(f"{self._where}: mail.user is set, but GROUNDSWELL_SMTP_PASSWORD is not")

    def _sign_in(self) -> smtplib.SMTP:
        """Return a connection with TLS and login done as configured."""
        mail = self._mail
        server = self._open()
        try:
            if mail.security == "starttls":
                server.starttls(context=self._context or ssl.create_default_context())
            if mail.user and self._password is not None:
                server.login(mail.user, self._password.get_secret_value())
        except BaseException:
            server.close()
            raise
        return server

    def _open(self) -> smtplib.SMTP:
        mail, timeout = self._mail, self._mail.timeout.total_seconds()
        if mail.security == "tls":
            context = self._context or ssl.create_default_context()
            return smtplib.SMTP_SSL(mail.host, mail.port, timeout=timeout, context=context)
        return smtplib.SMTP(mail.host, mail.port, timeout=timeout)


def _in_words(error: Exception, where: str, *, greeted: bool) -> ChannelError:
    """Return what went wrong with a mail server for a person; `greeted`: it had let us in before."""
    if isinstance(error, smtplib.SMTPResponseException):
        raw = error.smtp_error
        answer = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
        final = greeted and error.smtp_code >= 500 and error.smtp_code not in ABOUT_LOGIN
        return ChannelError(f"{where}: answered {error.smtp_code} {answer[:120]}", permanent=final, down=not greeted)
    if isinstance(error, ssl.SSLError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return ChannelError(f"{where}: speaks no TLS at once; set mail.security to starttls or none", down=True)
        return ChannelError(f"{where}: its certificate cannot be trusted ({error.reason})", down=True)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return ChannelError(
            f"{where}: {str(error)[:120].rstrip('.')}; look at mail.security and mail.user", down=not greeted
        )
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return ChannelError(f"{where}: hung up ({str(error)[:120]})", down=not greeted)
    if isinstance(error, smtplib.SMTPException):
        return ChannelError(f"{where}: {error.__class__.__name__}: {str(error)[:120]}", down=not greeted)
    if isinstance(error, OSError):
        reason = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or error.__class__.__name__
        return ChannelError(f"{where}: cannot be reached: {reason}; look at mail.host and mail.port", down=not greeted)
    # a password that is not ASCII, a name that is none: the error's own words may hold the secret
    return ChannelError(f"{where}: {error.__class__.__name__}; look at mail.host, mail.user and the password")


def _with_recipients(error: ChannelError, alert: Alert, asked: Sequence[str]) -> ChannelError:
    """Return a failure with who is still to have the message and who cannot, earlier tries included."""
    pending, gone = error.pending_recipients, (*alert.refused_recipients, *error.refused_recipients)
    if not pending and not error.refused_recipients:
        # it failed as a whole: nobody of those asked has it
        pending, gone = ((), (*gone, *asked)) if error.permanent else (tuple(asked), gone)
    delivered = error.delivered or bool(alert.pending_recipients)
    return ChannelError(
        str(error),
        permanent=error.permanent,
        down=error.down,
        pending_recipients=pending if delivered else (),
        refused_recipients=tuple(dict.fromkeys(gone)),
        delivered=delivered,
    )


def recipients(route: str, routes: Mapping[str, Sequence[str]], everybody: Sequence[str]) -> tuple[str, ...]:
    """Return a route's recipients: its own, else mail.to, else (the route is gone) those of all routes."""
    return tuple(dict.fromkeys(routes.get(route) or everybody or (a for own in routes.values() for a in own)))


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye. What goes wrong now changes nothing: the message was taken, or refused, before."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
