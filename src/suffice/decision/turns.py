"""Turns of phrase that name a task where single words mislead: "would you merge this", "pros and cons", "used to work".

A table of word sequences per task, looked up by their first word: some microseconds for an ask, whatever the table's
length. `_` stands for any one word. The earliest turn of an ask counts; of those that begin together, the longest.
`task_rules` weighs them against verbs.
"""

from __future__ import annotations

from typing import NamedTuple

from suffice.values.task import TaskType

# How far into an ask turns of phrase are looked for, in words from either end.
NEAR_WORDS = 60

# These say what is wanted whatever verbs stand around them.
_OVERRIDING = {
    TaskType.REVIEW: """
        anything wrong with / anything wrong in / something wrong with _ pr / would you merge / would you approve
        rate this / rate my / give feedback / give me feedback / some feedback / your feedback / feedback on
        your opinion / your thoughts on / thoughts on this / be honest / what could be improved
        what can be improved / could be improved / how can i improve this code / critique / find vulnerabilities
        find any vulnerabilities / find security / security holes / security issues / any vulnerabilities
        check for vulnerabilities / are there any race / are there race / are there any bugs / are there any issues
        are there any problems / any bugs in / spot any / spot the problems / second pair of eyes / second opinion
        sanity check / sanity-check / double check my / double-check my / double check this / double-check this
        before i merge / before i push / before we merge / good to merge / ready to merge / safe to merge
        ok to merge / look for mistakes / look for problems / poke holes / nitpick / lgtm? / is this idiomatic
        is this safe / is this code safe / is this correct / is it correct / is this ok / is this good
        does this look right / does this look good / does this look ok / does my code look / does this pr
        tear this apart / besser machen / verbessern könnte / meinung zu / deine meinung / was hältst
        schau dir meinen / schau dir meine / tu opinión / qué te parece / dame feedback / revísame / ton avis
        votre avis / que penses-tu / sua opinião / o que você acha / dê uma olhada / твоё мнение / твое мнение
        что думаешь / посмотри мой код / che ne pensi / what do you think of / what do you think about
        any problems with / any problems in / any issues with / any concerns / check this code / check my
        check the code / check whether this code / check if this code / have a look at my / take a look at my
        look at my code / code review / relire mon / relire ce / посмотри код / check for bugs / bad practices
        bad smells / red flags / would you change / would you do differently / handle all / critical eye
        go over my / look over / so passt""",
    TaskType.PLAN: """
        pros and cons / trade-offs / tradeoffs / trade offs / best way to structure / best way to organize
        best way to approach / best way to design / best way to split / best way to architect / best approach
        good approach / right approach / how should we / how should i structure / how should i design
        how should i organize / how should i approach / how should i split / how would you approach
        how would you design / how would you structure / how would you architect / how would you go
        how would you tackle / how would you organize / how would you split / how to approach / go about
        going about / think through / think about the design / don't write code / don't code yet / don't implement
        without writing code / without writing any code / no code yet / before we start / before coding
        before writing any code / which database / which framework would / which library would / which queue
        should we use _ or / should i use _ or / should i pick / should we pick / would you pick
        would you recommend / do you recommend / or should we / monolith or / into tickets / into stories
        into subtasks / into smaller tasks / system design / high-level design / high level design / design doc
        design document / technical design / estimate the / rough estimate / an estimate / effort estimate
        step by step plan / step-by-step plan / migration path / migration strategy / migration plan / rollout plan
        what steps / which steps / what would it take / what are our options / what are my options
        list the options / compare approaches / compare the options / an rfc / an adr / schema would you
        lay out the steps / list the steps / outline the steps / where do i start / where should i start
        wie würdest du / wie sollten wir / wie sollte ich / wie gehe ich / vor und nachteile / quelle architecture
        quelle approche / quelle stratégie / comment devrais / comment structurer / comment organiser
        comment aborder / qué arquitectura / cómo deberíamos / cómo estructurarías / cómo diseñarías
        ventajas y desventajas / mejor manera de estructurar / qual arquitetura / como devemos / como você faria
        como estruturar / como organizar / prós e contras / как лучше организовать / как лучше спроектировать
        какую архитектуру / плюсы и минусы / how do i structure / how do i organize / how do i design
        how do i split / how do i model / how do we structure / how do we organize / how do we split
        how do we migrate / how do i migrate / how do you structure / how would you model / what is the best
        what's the best / what would be the best / what would be a good / which is the best / which one should
        best database / best practice for / should i use / should we use / should i go with / should we go with
        use _ or _ here / do not change any / don't change any / don't touch / make a plan / come up with a plan
        plan for / thoughts on moving / thinking about moving / thinking of moving / scales better
        implementation plan / no code / how to slice / how should errors / how should the / trade-off""",
    TaskType.REFACTOR: """
        without changing behaviour / without changing behavior / without changing the behaviour
        without changing the behavior / without changing the output / without changing what it / same behaviour
        same behavior / no behaviour change / no behavior change / no functional change / no functional changes
        keep the behaviour / keep the behavior / early return / early returns / guard clauses / break it down
        break this down / break this up / break it up / break this function / break up this / split this up
        split it up / cyclomatic complexity / cognitive complexity / too many arguments / too many responsibilities
        single responsibility / god class / god object / code smell / code smells / dry up / dry this / dry it
        copy-paste / copy-pasted / copy pasted / prefer composition / composition over / more readable
        more pythonic / more idiomatic / easier to read / easier to test / easier to maintain / less nested
        less verbose / more concise / more modular / more efficient / more performant / run faster / much faster
        make this faster / make it faster / make this function faster / speed this up / speed it up / speed up this
        improve performance / improve the performance / reduce allocations / reduce memory / time complexity of this
        plus lisible / plus propre / plus rapide / más limpio / más legible / más rápido / más eficiente
        mais limpo / mais legível / mais rápido / lesbarer / übersichtlicher / schneller machen / effizienter / чище
        читаемее / быстрее / be written more / be written better / be simplified / be shorter / be simpler
        be cleaner / be made simpler / be made shorter / more elegantly / more elegant / make it dry
        make it cleaner / make it shorter / make it simpler / make it nicer / make this cleaner / make this shorter
        make this simpler / global variables / global state / nested if / nested ifs / nested conditionals
        switch statement with / if statements with / with polymorphism / pattern matching / list comprehensions
        a functional style / magic numbers / dead code / too much duplication / so much duplication
        an interface so / under o / doesn't import / shorten this / move _ out of""",
    TaskType.TEST_GEN: """
        cases for / test cases / test case for / edge cases for / error paths of / increase coverage
        improve coverage / raise coverage / more coverage / code coverage / coverage of / coverage for
        table-driven / property test / property tests / property-based / failing test / regression test
        unit test for / unit tests for / integration test / integration tests for / end-to-end test / e2e test
        e2e tests / smoke test / snapshot test / snapshot tests / a pytest for / good pytest / pytest for / jest for
        mock the / stub the / fuzz test / fuzz target / contract test / load test / casos de prueba / des tests pour
        tests pour / pruebas para / testes para / тесты для / тестами / a test that / tests that / test which
        verify with a test / add tests / missing tests / cypress tests / write tests / write a test""",
    TaskType.DOCSTRING: """
        inline comment / inline comments / needs a comment / need comments / needs comments / needs docs
        needs docstrings / needs documentation / update the docs / update the documentation / update the readme
        to the readme / the readme for / a readme / in the readme / the changelog / changelog entry / release notes
        javadoc / jsdoc / tsdoc / docstring for / docstrings for / docstrings to / docstring to / comments to
        xml comments / doc comment / doc comments / comment every / comment each / comment this / comment the
        document this / document the / document every / document each / document all / document our / numpy-style
        google-style docstrings / api docs / api documentation / is undocumented / are undocumented
        comments explaining / no docstrings / no docs / lacks documentation / lacks docs / missing docs
        missing docstrings""",
}
# These lead unless a clear verb stands before them.
_LEADING = {
    TaskType.EXPLAIN: """
        what's happening / what is happening / what's going on / what is going on / where is / where are / where do
        where does / where's / where in / which function / which functions / which file / which files / which module
        which class / who calls / what calls / line by line / help me understand / any reason / what's the reason
        what is the reason / the difference between / difference between / differ from / eli5 / go through the
        walk through / talk me / break down what / what does / what do / what is / what are / what's the
        what happens / why do / why does / why is / why are / why would / why did / how does / how do / how is
        how are / how come / when does / when should / when would / is it possible / is there a / is there any
        can you tell / i don't understand / i don't get / don't get why / make sense of / no entiendo / à quoi sert
        qu'est-ce que / c'est quoi / je ne comprends / que fait / qué hace / qué significa / para qué / o que
        para que serve / não entendo / wofür / wozu / was macht / was bedeutet / was passiert / verstehe nicht
        что делает / что такое / что значит / для чего / не понимаю / summarize / tl dr / give me an overview
        an overview of / new to this / show me where / show me how / show me what / show me why / show me which
        tell me where / tell me which / how many places / how many / whats the / just asking / is this thread
        is this function / does this / does it / what exactly / who uses / what uses / which part""",
    TaskType.BUG_FIX: """
        used to work / worked before / worked yesterday / worked fine / stopped working / no longer works
        no longer / not responding / doesn't respond / never terminates / never returns / never ends
        never finishes / never fires / never called / never runs / infinite loop / endless loop / keeps growing
        keeps crashing / keeps failing / keeps reloading / keeps getting / runs out of / out of memory
        creates duplicate / creates duplicates / duplicate rows / shows up twice / called twice / fires twice
        runs twice / twice instead / off by / something off / something's off / something is off / something wrong
        something's wrong / is wrong / are wrong / the wrong / blank page / blank screen / white screen / empty page
        is red / are red / goes red / went red / is blank / is empty when / is empty although / is ignored
        are ignored / gets ignored / silently / is missing / are missing / gets lost / get lost / is lost / are lost
        gets stuck / is stuck / hangs / freezes / crashes / leaks / flaky / flakes / times out / timed out
        gets killed / oom / even though / but instead / but i get / but it / but my code / but got / but the
        expected _ but / should have / should be _ but / instead it / instead i / i see / i'm seeing / am i seeing
        i get / i'm getting / we're getting / we see / throws / raises a / raises an / complains
        steps to reproduce / to reproduce / reproduce / expected behavior / expected behaviour / expected result
        actual behavior / actual behaviour / actual result / started failing / start failing / doesn't / does not
        won't / isn't / not working / can't / cannot / nothing happens / has no effect / instead of the / nicht mehr
        geht nicht / klappt nicht / bleibt hängen / hängt sich / stürzt / falsch / ne marche / ne fonctionne
        ne réagit / réagit plus / ne s'affiche / plante / ne répond / no funciona / se cierra / se cuelga / no carga
        no responde / da error / em branco / en blanco / não funciona / não carrega / trava / dá erro / не работает
        падает / пустой / зависает / не открывается / не загружается / хотя / вместо / fails with / failing with
        puts _ before / does nothing / sent twice / run twice / is gone / are gone / went missing / disappears
        disappeared / vanishes / drops after / drops every / repeats / duplicates / overlaps / flickers / mismatch
        already allocated / already in use / connection refused / permission denied / not found / no such file
        не собирается / не запускается / не отвечает / не компилируется / не проходит / me sale un / sale un error
        bricht mit / bricht ab / no me compila / no compila / ne compile / não compila / lost my / way too many
        an hour early / an hour late / gives nan / find out why / en lugar de / schlägt sporadisch / schlägt fehl""",
    TaskType.REFACTOR: """
        optimize / optimise / dedupe / deduplicate / inline the / extract _ into / extract the / pull _ out
        pull the / pull out / decouple / untangle / tidy / clean / consolidate / unify / flatten the nested
        into a base / into a helper / into helpers / into its own / into separate / into smaller / in smaller
        into a repository / into a service / into a shared / out of the controller / out of the controllers
        out of the view / out of the views / i don't like / use a dictionary instead / use composition
        use dependency injection / use generics / list comprehension / rends ce / rendre ce / rends cette
        rendre cette / teile diese / teile die""",
    TaskType.CONVERT: """
        version of this / equivalent of this / equivalent in / would this look / would that look / need it in
        want it in / have it in / like it in / rewrite in / rewrite _ in / rewrite this in / rewrite it in
        port _ to / port this / port it / passe ce / passe cette / passer de / passe este / passe esse / pasar de
        pasa este / pasa esta / to pytest style / into async / to async / into typescript / to typescript
        as typescript / class component / to a function component / from callbacks / to promises / express this
        express it / same thing but / same thing in / same in / turn this _ code into / turn this code into
        turn my _ code into / from python 2 / python 2 to / from javascript to / from java to / port the build from
        equivalent for / in the style of / the same algorithm in / this in go / to python / to java / to rust
        to kotlin / to c# / into a github / das in go""",
    TaskType.EDIT: """
        should be / should read / should say / should return / should use / should default / should show
        should point / needs to be / need to be / needs to say / must be / has to be / raise the / raise _ to
        raise max / lower the / lower _ to / hide / unhide / uncomment / comment out / comment in / bump / revert
        undo the / sort the imports / sort imports / make the / make it / make them / make sure / mark _ as
        tabs to spaces / spaces to tabs / reword / rephrase / shorten / whitelist / pin the / unpin / upgrade
        downgrade / default to / instead of / no longer needs / everywhere / across the project / throughout
        configurable via / configurable through / as well in / should be called / from now on""",
    TaskType.GENERATE: """
        i'd like a / i'd like an / i'd like to have / i would like / i want a / i want an / i want to / i need a
        i need an / we need a / we need an / we need to / whip up / given a / given an / given two / given the
        you are given / you're given / should be able / as a user / as an admin / as a developer / support for
        give me code / give me a / give me an / hook up / hook the / wire up / wire the / let the / let users
        allow users / one-liner / new endpoint / new component / new command / new page / new class / new module
        new hook / new react / new service / regex matching / regex that / regex for / regex to / function that
        function to / function which / script that / script to / script which / program that / program to
        class that / class which / query that / query to / component that / hook that / endpoint that / app that
        tool that / bot that / helper that / return the / print the / compute the / calculate the / il me faut
        j'aimerais / je voudrais / je veux / me puedes hacer / puedes hacer / quiero un / quiero una / me gustaría
        quero um / quero uma / gostaria de / brauche eine / brauche ein / hätte gern / kannst du mir / нужен скрипт
        нужна функция / нужен / нужна / нужно / an option to / a way to / no way to / must also / must accept
        must support / must allow / should also / should accept / should support / should allow / also accept
        also support / we are missing / we're missing / code for / code to / code that / todo app / landing page
        login page / bräuchte / ich möchte / faire un / programa en / programa que / un programa / um programa
        script que / función que / função que""",
}  # fmt: skip

Turn = tuple[tuple[str, ...], TaskType]


class Table(NamedTuple):
    """Turns by their first word, longest first, and the words that may come second (None: any, or none at all)."""

    turns: dict[str, tuple[Turn, ...]]
    seconds: dict[str, frozenset[str] | None]


def _by_first(tables: dict[TaskType, str]) -> Table:
    found: dict[str, list[Turn]] = {}
    for task, text in tables.items():
        for turn in text.replace("\n", " / ").split("/"):
            if turn.strip():
                first, *rest = turn.split()
                found.setdefault(first.rstrip("?"), []).append((tuple(w.rstrip("?") for w in rest), task))
    turns = {first: tuple(sorted(those, key=lambda t: -len(t[0]))) for first, those in found.items()}
    seconds = {first: frozenset(rest[0] if rest else "_" for rest, _ in those) for first, those in turns.items()}
    return Table(turns, {first: None if "_" in words else words for first, words in seconds.items()})


OVERRIDING = _by_first(_OVERRIDING)
LEADING = _by_first(_LEADING)


def earliest(tokens: list[str], table: Table) -> tuple[int, TaskType, str] | None:
    """Return (position in words, task, the turn) of the earliest turn of `table` in `tokens`, None when there is none."""
    count = len(tokens)
    turns, seconds = table
    for at, token in enumerate(tokens):
        # Most words begin no turn, and most that do are followed by none of its words.
        if token not in turns or NEAR_WORDS <= at < count - NEAR_WORDS:
            continue
        may_follow = seconds[token]
        if may_follow is not None and (at + 1 == count or tokens[at + 1] not in may_follow):
            continue
        for rest, task in turns[token]:
            if _follows(tokens, at + 1, rest):
                return at, task, " ".join((token, *rest))
    return None


def _follows(tokens: list[str], at: int, rest: tuple[str, ...]) -> bool:
    if at + len(rest) > len(tokens):
        return False
    for word in rest:
        if word not in ("_", tokens[at]):
            return False
        at += 1
    return True
