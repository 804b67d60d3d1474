"""The words by which people name their tasks, in eight natural languages, as tables.

Each entry maps a word, a stem (a prefix of at least four letters) or, for scripts without spaces, a piece of text to a
class. Classes are verbs and nouns, not tasks: `features.py` combines them. Words that mean several things are left out.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a blank-separated list."""
    return frozenset(text.split())


# Whole words, lower case.
_WORDS = {
    "create": "write implement create build generate add make develop construct need want give show me"
    " schreib schreibe erstelle baue implementiere füge erzeuge écris crée ajoute génère écrire créer ajouter fais"
    " escribe crea añade agrega genera haz escreva crie adicione gere faça escribir crear escrever criar"
    " напиши создай добавь реализуй сделай"
    " introduce produce provide craft compose draft prototype bootstrap integrate expose supply"
    " deliver bräuchte baue programmiere développe desarrolla",
    "fix": "fix fixes fixing debug repair solve resolve troubleshoot patch hotfix correct behebe korrigiere repariere"
    " corrige corriger répare arregla corregir arreglar corrija conserte resolva consertar исправь почини поправь"
    " investigate diagnose fixe untersuche finde",
    "edit": "change update modify rename replace remove delete move set bump switch insert append increase decrease use"
    " disable enable adjust drop extend allow ändere ersetze entferne lösche benenne aktualisiere change modifie remplace"
    " supprime renomme mets cambia modifica reemplaza elimina renombra actualiza altere mude substitua remova renomeie"
    " atualize измени замени удали переименуй обнови"
    " strip trim log print reorder swap wrap unwrap pin upgrade downgrade toggle reformat format pad align"
    " center centre cap clamp limit restrict lower raise hide uncomment revert bump",
    "refactor": "refactor refactoring simplify clean cleanup extract deduplicate decouple restructure reorganize split"
    " modularize tidy vereinfache aufräumen umstrukturiere simplifie nettoie refactorise factorise refactoriza simplifica"
    " limpia refatore refatora simplifique limpe упрости отрефактори"
    " restructure reorganise decouple inline hoist untangle optimize optimise shorten вынеси optimiere optimiza optimise otimize",
    "explain": "explain describe understand clarify summarize summarise what why how mean means walk tell difference"
    " erkläre erklär beschreibe warum was wie explique expliquer décris pourquoi comment explica describe"
    " qué cómo explicar descreva объясни опиши почему зачем как"
    " trace clarify interpret elaborate ",
    "convert": "convert translate port migrate transpile rewrite konvertiere übersetze portiere migriere convertis"
    " traduis migre porte convierte traduce migra porta converta traduza migre переведи конвертируй перепиши портируй",
    "review": "review audit critique assess überprüfe prüfe begutachte révise relis examine revisa audita revise"
    " проверь отревьюй"
    " roast evaluate inspect vet scrutinize scrutinise scan drüberschauen durchsehen",
    "plan": "plan design architecture roadmap propose brainstorm strategy outline plane entwirf planifie conçois"
    " planifica diseña planeja planeje projete спланируй спроектируй архитектура архитектуру",
    "complete": "complete finish autocomplete fill vervollständige ergänze complète complétez completa autocompleta"
    " complete дополни допиши",
    "test": "test tests unittest unittests testing spec specs coverage pytest jest testcase testcases mock fuzz"
    " testfälle testfall prueba pruebas teste testes тест тесты тестов",
    "doc": "докстринг docstring docstrings jsdoc javadoc comment comments documentation readme rustdoc doxygen godoc kommentare"
    " kommentar dokumentation docs commentaires commentaire comentarios comentários документация комментарии document",
    "bug": "bug bugs error errors exception crash crashes crashing fail fails failing failed broken wrong traceback issue"
    " incorrect segfault hangs deadlock leak race fehler fehlt abstürzt erreur bogue bug plante error fallo falla erro"
    " falha quebra ошибка ошибку баг падает segmentation npe nullpointer undefined doesn't",
    "continue": "yes yep yeah ok okay sure continue proceed go next ja weiter mach oui continue vas-y sí si vale sigue"
    " adelante continúa sim continue prossiga да продолжай ладно давай y k yup please do it again thanks thx perfect"
    " great good nice done approve approved lgtm 1 2 3 genau bitte d'accord",
}
# Prefixes, lower case: the endings of a verb differ, its beginning does not.
_STEMS = {
    "fix": "debugg behebe korrigier reparier corrig исправ почин устран",
    "refactor": "refactor refaktor refator рефактор отрефактор упрост vereinfach umstrukturier aufräum",
    "explain": "explain erklär expliq explic объясн",
    "create": "implement generat schreib erstell erzeug напиш создай создат реализ",
    "convert": "convert konvertier translat übersetz portier migrat migrier convierte конверт перевед",
    "review": "review überprüf begutacht ревью",
    "test": "unittest testfäl тест",
    "doc": "докстринг docstring dokumentier documenta documente kommentier комментар документ",
    "bug": "fehlschl abstürz plantag ошибк",
    "edit": "änder umbenenn ersetz entfern renomm rename переимен замен измени",
    "plan": "arquitect architekt architect planific спроектир",
    "complete": "vervollständig autocomplet дополн",
}
# Turns of phrase that say more than their words do; the first that matches names the class.
# Every turn of phrase begins where a word does (or with one of three characters of scripts without spaces): saying so once
# spares the engine the whole list of alternatives at every other position. No alternative begins with an assertion: so the
# engine passes over those whose first letter is another one.
WORD_START = r"(?:(?<!\w)(?=\w)|(?=[不没動]))"
# The first two letters of all turns of phrase: nearly every other word is passed over at a glance.
FIRST_LETTERS = (
    r"(?=a[nsv]|b[ru]|c[aio]|do|fu|g[eio]|i[ cs]|j'|lo|m[ao]|n[eoã]|of|p[airou]|qu|r[eä]|s[cetwo]|t[ehou]|w[aeho]|за|мн|не"
    r"|[不没動])"
)
PHRASES = re.compile(
    WORD_START + FIRST_LETTERS + "(?:"
    r"(?P<review>look (?:over|through) (?:this|the|my)|what do you think (?:of|about)|any (?:issues|problems"
    r"|feedback|thoughts)\?"
    r"|code review\b|was hältst du von\b|qu'en penses-tu\b|qué opinas\b)"
    r"|(?P<refactor>break (?:it|this|them|that)? ?up\b|(?:too|so) (?:long|complex|messy|big)\b|(?:get rid of"
    r"|remove|reduce|avoid) "
    r"(?:the |this |all |code )*(?:duplicat\w+|repetition)|more (?:readable|maintainable|idiomatic)\b"
    r"|räum\w* .{0,30}\bauf\b)"
    r"|(?P<convert>turn .{1,40} into (?:a |an )?(?:python|java|kotlin|go|rust|c\+\+|c#|typescript|javascript|ruby"
    r"|php|swift|sql)\b"
    r"|as (?:plain |idiomatic |modern )?(?:python|java|kotlin|rust|typescript|javascript|c\+\+|c#|go)\b)"
    r"|(?P<bug>off by (?:one|1)\b|(?:don't|doesn't|does not|isn't|not|stopped|won't|can't) (?:work|working"
    r"|compile|start|run|load|build)\w*"
    r"|(?:gives?|getting|returns?|throws?|get|got) (?:me )?(?:a |an |the )?(?:[45]\d\d|404|nan|null|nothing)\b"
    r"|(?:tests?|build|ci|pipeline) (?:are|is) red\b"
    r"|(?:no|não) funciona\b|ne (?:marche|fonctionne) pas\b|funktioniert .{0,30}nicht\b|не работает\b|不能用"
    r"|没反应|動かない|動きません"
    r"|went wrong\b|sort (?:it|this) out\b|the problem is\b)"
    r"|(?P<create>put together\b|come up with\b|set up\b|scaffold\b|(?:i|we) (?:want|need"
    r"|would like) (?:a|an|some)\b|necesito una?\b"
    r"|ich (?:brauche|möchte|hätte gern)\b|j'ai besoin d|preciso de uma?\b|мне нуж\w+\b)"
    r"|(?P<explain>comment (?:fonctionne|marche|ça|est|se)\b|por qu[eé]\b|tell me (?:how|why|what)\b"
    r"|para qué\b|зачем\b)"
    r"|(?P<edit>make (?:the|this|it|them|all)\b|turn (?:on|off|the|this|it)\b|get rid of\b|swap\b"
    r"|put .{1,40} (?:in|into) (?:a|its)\b))"
)

# Pieces of text for scripts without spaces between words.
_PIECES = {
    "create": "写 实现 创建 编写 生成 添加 增加 開発 作成 作って 書いて 実装 追加 生成して",
    "fix": "修复 修正 改正 解决 调试 直して 修正して デバッグ",
    "edit": "修改 改成 替换 删除 重命名 更新 改为 変更 置き換え 削除 名前を変",
    "refactor": "読みやすく 読みやすい 重构 简化 整理 优化 リファクタ 簡潔",
    "explain": "どういう意味 解释 说明一下 什么 为什么 怎么 如何工作 是什么意思 説明 なぜ とは 教えて どうして 何を",
    "convert": "重写 转换 转成 翻译 移植 迁移 改写成 変換 移植 書き換え 翻訳",
    "review": "审查 评审 检查这 有没有问题 有什么问题 看看这段 看看我的 怎么样 見てもらえ"
    " 見てください 指摘 コードレビュー レビュー",
    "plan": "计划 规划 如何设计 应该如何 应该怎么 方案 怎样设计 どう設計 どのように設計 進め方"
    " 设计方案 架构 设计一个 計画 設計 アーキテクチャ",
    "complete": "补全 完成这 补完 補完 完成させ 続きを書",
    "test": "测试 单元测试 テスト",
    "doc": "文档字符串 注释 文档 ドキュメント コメント docstring",
    "bug": "不对 修一下 报了 越界 超出范围 不显示 没有反应 卡住 闪退 打不开 結果がおかしい 通らない 表示されない 止まる 错误"
    " 报错 崩溃 异常 失败 バグ エラー 例外 失敗 落ち 动作不 不工作",
    "continue": "继续 好的 是的 続けて はい お願いします 可以",
}
_SECURITY = (
    "password passwords passwd authentication authorization authenticate authorize oauth jwt saml sso encrypt encryption"
    " decrypt crypto cryptography cipher xss csrf ssrf injection vulnerability vulnerabilities cve exploit credential"
    " credentials sanitize privilege privileges rbac tls ssl certificate hmac bcrypt argon2 login auth permissions secrets"
    " pentest deserialization payment payments webauthn 2fa mfa totp passwort verschlüsselung anmeldung authentifizierung"
    " sicherheitslücke chiffrement mot-de-passe contraseña cifrado autenticación vulnerabilidad senha criptografia"
    " autenticação пароль пароля шифрование авторизация авторизацию уязвимость"
)
SECURITY_PIECES = (
    "密码", "加密", "认证", "权限", "漏洞", "注入", "登录", "パスワード", "暗号", "認証", "脆弱性", "ログイン",
    "sql injection", "access token", "api key", "private key", "path traversal", "session cookie", "security",
    "sécurité", "mot de passe", "sicherheit", "seguridad", "segurança", "безопасност", "access control",
)  # fmt: skip

_STOPWORDS = {
    "de": "der die das und ist nicht ein eine einen den dem mit für auf wie warum bitte diese dieser zu von im funktion",
    "fr": "le la les des est une un pour dans avec cette ce du que pas et sur moi qui ne fonction au",
    "es": "el la los las que una un para con por esta este del en es y no función lo al mi",
    "pt": "o a os as que uma um para com por esta este do da em é e não função dos isso meu essa esse",
    "en": "the a an is to of in for and this that it with my on so does not be from why what how please when i are into",
    "it": "il lo gli della che una un per con questo questa di non è e funzione perché",
}


def _table(source: dict[str, str]) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for name, words in source.items():
        for word in words.split():
            if name not in out.get(word, ()):
                out[word] = (*out.get(word, ()), name)
    return out


WORDS = _table(_WORDS)
STEMS = _table(_STEMS)
PIECES = tuple((piece, name) for name, pieces in _PIECES.items() for piece in pieces.split())
SECURITY = frozenset(_SECURITY.split())
STOPWORDS = _table(_STOPWORDS)

PROGRAMMING = {
    "python": "python py python3 pytest django flask pandas numpy fastapi pydantic ipynb pyi",
    "javascript": "javascript js jsx mjs cjs node nodejs express jest javascript's",
    "typescript": "typescript ts tsx angular nestjs deno",
    "java": "java spring junit maven gradle",
    "kotlin": "kotlin kt kts",
    "go": "golang go.mod goroutine",
    "rust": "rust rs cargo tokio serde",
    "c": "c89 c99 c11",
    "cpp": "cpp c++ cc cxx hpp hxx c++17 c++20 cmake",
    "csharp": "csharp c# cs .net dotnet asp.net linq unity",
    "ruby": "ruby rb rails rspec",
    "php": "php laravel symfony composer",
    "swift": "swift swiftui",
    "scala": "scala sbt",
    "haskell": "haskell hs",
    "sql": "sql postgres postgresql mysql sqlite plpgsql",
    "shell": "bash sh zsh shell shellscript",
    "html": "html htm",
    "css": "css scss sass tailwind",
    "elixir": "elixir ex exs phoenix",
    "lua": "lua",
    "perl": "perl pl",
    "r": "rlang ggplot2 dplyr tidyverse",
    "dart": "dart flutter",
    "julia": "julia jl",
    "clojure": "clojure clj",
    "yaml": "yaml yml kubernetes helm",
    "terraform": "terraform hcl tf",
    "dockerfile": "dockerfile",
    "fortran": "fortran f90",
    "cobol": "cobol",
    "zig": "zig",
    "ocaml": "ocaml",
    "erlang": "erlang",
    "solidity": "solidity sol",
    "vue": "vue",
    "svelte": "svelte",
}
LANGUAGE_OF = {word: name for name, words in PROGRAMMING.items() for word in words.split()}
EXTENSIONS = {
    **{
        ext: LANGUAGE_OF[ext]
        for ext in words(
            "py pyi ipynb js jsx mjs cjs ts tsx java kt kts rs cpp cc cxx hpp cs rb php swift scala hs sql sh html css"
            " scss ex exs lua pl dart jl clj yaml yml tf vue svelte sol zig f90"
        )
    },
    "go": "go",
    "c": "c",
    "h": "c",
    "r": "r",
    "erl": "erlang",
    "ml": "ocaml",
}
